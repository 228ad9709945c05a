import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, textOf, transaction } from "../messaging/database";

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** A value, or a statistic set of `count` values. */
export interface Sample {
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export interface Datapoint {
  readonly timeMs: number;
  readonly value: number;
}

const schema = `
CREATE TABLE IF NOT EXISTS cw_metrics (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, UNIQUE (namespace, name, dimensions));
CREATE TABLE IF NOT EXISTS cw_samples (metric INTEGER NOT NULL, ts INTEGER NOT NULL, unit TEXT NOT NULL, sum REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL, n REAL NOT NULL);
CREATE INDEX IF NOT EXISTS cw_samples_by_time ON cw_samples (metric, ts);`;

/** AWS keeps the coarsest points this long. Raw samples are kept here, so every period stays exact. */
const retentionMs = 455 * 86_400_000;

function key(dimensions: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1)));
}

export class MetricsStore {
  private readonly ids = new Map<string, number>();

  constructor(private readonly db: DatabaseSync) {
    db.exec(schema);
  }

  put(metric: MetricId, sample: Sample, unit: string, timeMs: number): void {
    this.db
      .prepare("INSERT INTO cw_samples VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(this.idOf(metric), timeMs, unit, sample.sum, sample.min, sample.max, sample.count);
  }

  private idOf({ namespace, name, dimensions }: MetricId): number {
    const dimensionKey = key(dimensions);
    const cacheKey = `${namespace}\n${name}\n${dimensionKey}`;
    const known = this.ids.get(cacheKey);
    if (known !== undefined) return known;
    const id = transaction(this.db, () => {
      this.db
        .prepare("INSERT OR IGNORE INTO cw_metrics (namespace, name, dimensions) VALUES (?, ?, ?)")
        .run(namespace, name, dimensionKey);
      const row = this.db
        .prepare("SELECT id FROM cw_metrics WHERE namespace = ? AND name = ? AND dimensions = ?")
        .get(namespace, name, dimensionKey);
      return Number(row?.id);
    });
    this.ids.set(cacheKey, id);
    return id;
  }

  list(): MetricId[] {
    return this.db
      .prepare("SELECT * FROM cw_metrics ORDER BY namespace, name, dimensions")
      .all()
      .map((row) => ({
        namespace: textOf(row, "namespace"),
        name: textOf(row, "name"),
        dimensions: Object.fromEntries(JSON.parse(textOf(row, "dimensions")) as [string, string][]),
      }));
  }

  /** One value per period that has samples, oldest first. Periods start at `fromMs`. */
  statistics(metric: MetricId, statistic: string, periodMs: number, fromMs: number, toMs: number, unit?: string): Datapoint[] {
    const row = this.db
      .prepare("SELECT id FROM cw_metrics WHERE namespace = ? AND name = ? AND dimensions = ?")
      .get(metric.namespace, metric.name, key(metric.dimensions));
    const compute = compileStatistic(statistic);
    if (row === undefined) return [];
    const buckets = new Map<number, Sample[]>();
    const rows = this.db
      .prepare("SELECT * FROM cw_samples WHERE metric = ? AND ts >= ? AND ts < ? AND (? IS NULL OR unit = ?) ORDER BY ts")
      .all(Number(row.id), fromMs, toMs, unit ?? null, unit ?? null);
    for (const sample of rows) {
      const start = fromMs + Math.floor((numberOf(sample, "ts") - fromMs) / periodMs) * periodMs;
      const bucket = buckets.get(start) ?? [];
      bucket.push({
        sum: numberOf(sample, "sum"),
        min: numberOf(sample, "min"),
        max: numberOf(sample, "max"),
        count: numberOf(sample, "n"),
      });
      buckets.set(start, bucket);
    }
    return [...buckets].flatMap(([timeMs, samples]) => {
      const value = compute(samples);
      return value === undefined ? [] : [{ timeMs, value }];
    });
  }

  trim(nowMs: number): void {
    this.db.prepare("DELETE FROM cw_samples WHERE ts < ?").run(nowMs - retentionMs);
  }
}

function total(samples: readonly Sample[], field: "sum" | "count"): number {
  return samples.reduce((sum, sample) => sum + sample[field], 0);
}

/** @throws AwsError naming a statistic that is not supported. */
export function compileStatistic(statistic: string): (samples: readonly Sample[]) => number | undefined {
  switch (statistic) {
    case "Average":
      return (samples) => total(samples, "sum") / total(samples, "count");
    case "Sum":
      return (samples) => total(samples, "sum");
    case "SampleCount":
      return (samples) => total(samples, "count");
    case "Minimum":
      return (samples) => samples.reduce((least, sample) => Math.min(least, sample.min), Number.POSITIVE_INFINITY);
    case "Maximum":
      return (samples) => samples.reduce((most, sample) => Math.max(most, sample.max), Number.NEGATIVE_INFINITY);
    default: {
      const percentile = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(statistic)?.[1];
      if (percentile === undefined) {
        throw new AwsError(
          "InvalidParameterValue",
          `Statistic ${statistic} is not supported by the local runtime; use Average, Sum, SampleCount, Minimum, Maximum or pNN.`,
        );
      }
      return (samples) => percentileOf(samples, Number(percentile) / 100);
    }
  }
}

/** Nearest rank over single values; as on AWS there is none when a statistic set hides its values. */
function percentileOf(samples: readonly Sample[], fraction: number): number | undefined {
  if (samples.some((sample) => sample.count !== 1 && sample.min !== sample.max)) return undefined;
  const ordered = [...samples].sort((left, right) => left.min - right.min);
  const rank = fraction * total(samples, "count");
  let seen = 0;
  for (const sample of ordered) {
    seen += sample.count;
    if (seen >= rank) return sample.min;
  }
  return ordered.at(-1)?.max;
}
