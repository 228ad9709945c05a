/**
 * CloudWatch embedded metric format (specification 0): metrics are log lines, so measuring costs no API call.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { Clock } from "./clock";
import { type LineSink, stdoutSink } from "./log";

export type MetricUnit = "Count" | "Milliseconds" | "None" | "Bytes" | "Seconds" | "Percent";

/** The specification's limits for one metric directive. */
const MAX_METRICS = 100;
const MAX_VALUES = 100;

export interface Metrics {
  /** Adds a value; several values of one name go into one array. */
  add(name: string, unit: MetricUnit, value: number): void;
  /** A field to search the log by that is not a dimension. */
  property(name: string, value: string | number): void;
  /** Metrics under additional dimensions, in lines of their own: flush them separately. */
  under(more: Readonly<Record<string, string>>): Metrics;
  /** Writes one line and starts afresh; writes nothing when nothing was added. */
  flush(): void;
}

interface Series {
  readonly unit: MetricUnit;
  readonly values: number[];
}

/**
 * `dimensions` are values of this function. Each metric is published under all of them together and in no other combination, because
 * CloudWatch bills every combination of dimensions as a separate metric. One of them is `Environment`, since all stacks of an account
 * share the namespace.
 */
export function createMetrics(
  namespace: string,
  dimensions: Readonly<Record<string, string>>,
  clock: Clock,
  sink: LineSink = stdoutSink,
): Metrics {
  let series = new Map<string, Series>();
  let properties: Record<string, string | number> = {};
  const names = Object.keys(dimensions);

  const flush = (): void => {
    if (series.size === 0) return;
    const values: Record<string, number | readonly number[]> = {};
    const definitions: { Name: string; Unit: MetricUnit }[] = [];
    for (const [name, { unit, values: list }] of series) {
      definitions.push({ Name: name, Unit: unit });
      values[name] = list.length === 1 ? (list[0] as number) : list;
    }
    const directive = { Namespace: namespace, Dimensions: [names], Metrics: definitions };
    sink(
      JSON.stringify({
        _aws: { Timestamp: clock.now(), CloudWatchMetrics: [directive] },
        ...properties,
        ...dimensions,
        ...values,
      }),
    );
    series = new Map();
    properties = {};
  };

  return {
    add(name, unit, value) {
      const existing = series.get(name);
      if (existing !== undefined) {
        existing.values.push(value);
        if (existing.values.length >= MAX_VALUES) flush();
        return;
      }
      if (series.size >= MAX_METRICS) flush();
      series.set(name, { unit, values: [value] });
    },
    property(name, value) {
      properties[name] = value;
    },
    under: (more) => createMetrics(namespace, { ...dimensions, ...more }, clock, sink),
    flush,
  };
}
