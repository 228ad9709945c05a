/** Feature vectors as a SageMaker container reads them, and the scores that it returns. */
import { ModelUnavailable } from "./model-set";

export type EndpointContentType = "text/csv" | "application/json";

/** `slots[column]` is the slot that the column is read from. Unknown values are empty in CSV, null in JSON. */
export function encodeRows(
  contentType: EndpointContentType,
  values: Float64Array,
  size: number,
  slots: ArrayLike<number>,
  first: number,
  end: number,
): string {
  const cells = new Array<string>(slots.length);
  const lines: string[] = [];
  const unknown = contentType === "text/csv" ? "" : "null";
  for (let row = first; row < end; row++) {
    for (let column = 0; column < slots.length; column++) {
      const value = values[row * size + slots[column]!]!;
      cells[column] = Number.isFinite(value) ? String(value) : unknown;
    }
    lines.push(cells.join(","));
  }
  if (contentType === "text/csv") return lines.join("\n");
  return `{"instances":[${lines.map((line) => `[${line}]`).join(",")}]}`;
}

/**
 * Scores in a response: numbers separated by commas or line breaks, a JSON array, or an object with `predictions` (`scores`, `outputs`),
 * each element a number, an array with one number, or an object with `score` (`probability`, `prediction`). Throws
 * {@link ModelUnavailable} (`bad_answer`) unless there is one finite score per row.
 */
export function decodeScores(text: string, count: number): Float64Array {
  const found = text.trimStart().startsWith("{") || text.trimStart().startsWith("[") ? fromJson(text) : fromCsv(text);
  if (found.length !== count) throw bad(`${count} rows were sent and ${found.length} scores came back`);
  const wrong = found.findIndex((score) => !Number.isFinite(score));
  if (wrong >= 0) throw bad(`score ${wrong + 1} of ${count} is not a finite number`);
  return Float64Array.from(found);
}

const bad = (what: string): ModelUnavailable =>
  new ModelUnavailable("bad_answer", `The endpoint's answer can't be used: ${what}. It must return one score for each row.`);

function fromCsv(text: string): number[] {
  return text
    .split(/[\n,]/)
    .map((cell) => cell.trim())
    .filter((cell) => cell !== "")
    .map(Number);
}

function fromJson(text: string): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad("it starts like JSON but does not parse");
  }
  const list = Array.isArray(value) ? value : firstMember(value, ["predictions", "scores", "outputs"]);
  if (!Array.isArray(list)) throw bad('it has no array "predictions"');
  return list.map((element: unknown) => {
    if (Array.isArray(element)) return element.length === 1 ? asNumber(element[0]) : Number.NaN;
    return asNumber(typeof element === "object" ? firstMember(element, ["score", "probability", "prediction"]) : element);
  });
}

const asNumber = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);

function firstMember(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  const name = names.find((candidate) => Object.hasOwn(value, candidate));
  return name === undefined ? undefined : (value as Readonly<Record<string, unknown>>)[name];
}
