/** CloudWatch embedded metric format: a JSON log line that carries metrics (CloudWatch user guide, "Specification"). */
import { isRecord } from "@risk/program-graph";

export interface EmfMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  readonly unit: string;
  readonly timestampMs: number;
}

/** Metrics of one log line; none when the line is not EMF. Throws an Error that names the malformed member of an EMF line. */
export function parseEmf(line: string): readonly EmfMetric[] {
  // Most log lines are not EMF; looking for the marker first keeps them cheap.
  if (!line.includes('"_aws"')) return [];
  const start = line.indexOf("{");
  let root: unknown;
  try {
    root = JSON.parse(line.slice(start));
  } catch {
    // The marker may occur in any text; only a JSON line can be EMF.
    return [];
  }
  const aws = isRecord(root) ? root._aws : undefined;
  if (!isRecord(root) || !isRecord(aws)) return [];
  if (typeof aws.Timestamp !== "number") throw new Error("EMF _aws.Timestamp must be milliseconds since the epoch");
  if (!Array.isArray(aws.CloudWatchMetrics)) throw new Error("EMF _aws.CloudWatchMetrics must be a list");
  const { Timestamp: timestampMs } = aws;
  const members = root;
  return aws.CloudWatchMetrics.flatMap((directive: unknown) => directiveMetrics(directive, members, timestampMs as number));
}

function directiveMetrics(directive: unknown, root: Readonly<Record<string, unknown>>, timestampMs: number): EmfMetric[] {
  if (!isRecord(directive) || typeof directive.Namespace !== "string")
    throw new Error("EMF CloudWatchMetrics[].Namespace must be a string");
  const namespace = directive.Namespace;
  const sets: unknown = directive.Dimensions ?? [[]];
  if (!Array.isArray(sets) || !Array.isArray(directive.Metrics))
    throw new Error("EMF CloudWatchMetrics[].Dimensions and .Metrics must be lists");
  const dimensionSets = sets.length === 0 ? [[]] : sets;
  return directive.Metrics.flatMap((metric: unknown) => {
    if (!isRecord(metric) || typeof metric.Name !== "string") throw new Error("EMF Metrics[].Name must be a string");
    const name = metric.Name;
    const value = root[name];
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (!values.every((item): item is number => typeof item === "number"))
      throw new Error(`EMF metric ${name} must be a number or a list of numbers`);
    const unit = typeof metric.Unit === "string" ? metric.Unit : "None";
    return dimensionSets.map((set: unknown) => ({
      namespace,
      name,
      dimensions: dimensionsOf(set, root),
      values,
      unit,
      timestampMs,
    }));
  });
}

function dimensionsOf(set: unknown, root: Readonly<Record<string, unknown>>): Record<string, string> {
  if (!Array.isArray(set)) throw new Error("EMF Dimensions must be a list of lists of names");
  return Object.fromEntries(
    set.map((name: unknown) => {
      const value = root[String(name)];
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
        throw new Error(`EMF dimension ${String(name)} has no value`);
      return [String(name), String(value)];
    }),
  );
}
