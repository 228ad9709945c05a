/** What goes into and comes out of an endpoint, as SageMaker's built-in algorithms read and write it. */
import { AwsError } from "../../contracts";

/** The one production variant that an endpoint has here. */
export const VARIANT = "AllTraffic";

/**
 * `text/csv`: one row per line; an empty cell is a missing value. `application/json`: `{"instances": [[1, null]]}`, null is one.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
 */
export function readRows(contentType: string, body: Buffer, endpoint: string): number[][] {
  const type = contentType.split(";")[0]?.trim();
  const text = body.toString("utf8");
  if (type === "text/csv") return rowsOfCsv(text, endpoint);
  if (type === "application/json") return rowsOfJson(text, endpoint);
  throw modelError(415, `${endpoint} reads text/csv and application/json, got "${contentType}"`);
}

/** In the type that the caller accepts, or that of the request. A single output is a number, several are a list. */
export function writePredictions(
  accept: string | undefined,
  contentType: string,
  predictions: readonly (readonly number[])[],
): { readonly contentType: string; readonly text: string } {
  const wanted = accept === undefined || accept === "*/*" ? contentType : accept;
  if (wanted.startsWith("application/json")) {
    const scores = predictions.map((values) => ({ score: values.length === 1 ? values[0] : values }));
    return { contentType: "application/json", text: JSON.stringify({ predictions: scores }) };
  }
  return { contentType: "text/csv; charset=utf-8", text: predictions.map((values) => values.join(",")).join("\n") };
}

function rowsOfCsv(text: string, endpoint: string): number[][] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0) throw modelError(400, `${endpoint} got no row`);
  return lines.map((line) => line.split(",").map((cell) => numberIn(cell.trim(), endpoint)));
}

function rowsOfJson(text: string, endpoint: string): number[][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw modelError(400, `${endpoint} got a body that is not JSON`);
  }
  const instances: unknown = Object(parsed).instances;
  if (!Array.isArray(instances) || instances.length === 0) throw modelError(400, `${endpoint} expects {"instances": […]}`);
  return instances.map((values: unknown) => {
    if (!Array.isArray(values)) throw modelError(400, `${endpoint} expects instances that are lists`);
    return values.map((value: unknown) => {
      if (value === null) return Number.NaN;
      if (typeof value === "number") return value;
      throw modelError(400, `${endpoint} expects numbers, got ${JSON.stringify(value)}`);
    });
  });
}

function numberIn(cell: string, endpoint: string): number {
  if (cell === "") return Number.NaN;
  const value = Number(cell);
  if (Number.isNaN(value)) throw modelError(400, `${endpoint} expects numbers, got "${cell}"`);
  return value;
}

/** The container's error as the runtime reports it; 4xx is the request's fault. */
export function modelError(status: 400 | 415, message: string): AwsError {
  return new AwsError("ModelError", `Received client error (${status}) from ${VARIANT} with message "${message}".`, 424);
}
