import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { numberOf, transaction } from "../messaging/database";

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Datapoint {
  readonly timeMs: number;
  readonly value: number;
}

const schema = `
CREATE TABLE IF NOT EXISTS cw_metrics (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, UNIQUE (namespace, name, dimensions));
CREATE TABLE IF NOT EXISTS cw_values (metric INTEGER NOT NULL, ts INTEGER NOT NULL, unit TEXT NOT NULL, value REAL NOT NULL);
CREATE INDEX IF NOT EXISTS cw_values_by_time ON cw_values (metric, ts);`;

/** AWS keeps the coarsest points this long. Single values are kept here, so every period stays exact. */
const retentionMs = 455 * 86_400_000;

const MAX_BUFFERED = 1000;

function key(dimensions: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1)));
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Of one value or more. */
const statistics: Readonly<Record<string, (values: readonly number[]) => number>> = {
  Average: (values) => total(values) / values.length,
  Sum: total,
  SampleCount: (values) => values.length,
  Minimum: (values) => values.reduce((least, value) => Math.min(least, value)),
  Maximum: (values) => values.reduce((most, value) => Math.max(most, value)),
};

export class MetricsStore {
  private readonly ids = new Map<string, number>();
  private buffered: (readonly [metric: MetricId, timeMs: number, unit: string, value: number])[] = [];

  constructor(private readonly db: DatabaseSync) {
    db.exec(schema);
  }

  /** Keeps a value in memory until the next {@link flush}: one request makes dozens, and a transaction of its own for each takes a sixth of its time. */
  put(metric: MetricId, value: number, unit: string, timeMs: number): void {
    this.buffered.push([metric, timeMs, unit, value]);
    // A transaction under way may be rolled back, and the values with it.
    if (this.buffered.length >= MAX_BUFFERED && !this.db.isTransaction) this.flush();
  }

  /** Stores what was put. What the disk refuses is lost. */
  flush(): void {
    const values = this.buffered;
    if (values.length === 0) return;
    this.buffered = [];
    const rows = values.map(([metric, ...rest]) => [this.idOf(metric), ...rest] as const);
    transaction(this.db, () => {
      const insert = this.db.prepare("INSERT INTO cw_values VALUES (?, ?, ?, ?)");
      for (const row of rows) insert.run(...row);
    });
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

  /** One value per period that has samples, oldest first. Periods start at `fromMs`. */
  statistics(metric: MetricId, statistic: string, periodMs: number, fromMs: number, toMs: number, unit?: string): Datapoint[] {
    const compute = Object.hasOwn(statistics, statistic) ? statistics[statistic] : undefined;
    if (compute === undefined)
      throw new AwsError(
        "InvalidParameterValue",
        `Statistic ${statistic} is not supported by the local runtime; use ${Object.keys(statistics).join(", ")}.`,
      );
    this.flush();
    const rows = this.db
      .prepare(
        `SELECT ts, value FROM cw_values WHERE metric = (SELECT id FROM cw_metrics WHERE namespace = ? AND name = ? AND dimensions = ?)
         AND ts >= ? AND ts < ? AND (? IS NULL OR unit = ?) ORDER BY ts`,
      )
      .all(metric.namespace, metric.name, key(metric.dimensions), fromMs, toMs, unit ?? null, unit ?? null);
    const periods = Map.groupBy(rows, (row) => fromMs + Math.floor((numberOf(row, "ts") - fromMs) / periodMs) * periodMs);
    return [...periods].map(([timeMs, samples]) => ({ timeMs, value: compute(samples.map((row) => numberOf(row, "value"))) }));
  }

  trim(nowMs: number): void {
    this.flush();
    this.db.prepare("DELETE FROM cw_values WHERE ts < ?").run(nowMs - retentionMs);
  }
}
