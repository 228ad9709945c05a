/**
 * Units of provisioned tables, as AWS meters them: so many per second, plus up to five minutes' worth of unused ones ("Burst and adaptive
 * capacity", DynamoDB developer guide). Tables on demand are not metered. Indexes have no buckets of their own here, and a table starts with
 * a full one, as after five idle minutes.
 */
import { DynamoError } from "./engine";

/** `enforced` refuses requests without units left; `observed` only counts them; `off` does neither. */
export type Metering = "enforced" | "observed" | "off";

export type UnitKind = "Read" | "Write";

export interface Units {
  readonly Read: number;
  readonly Write: number;
}

const BURST_SECONDS = 300;

interface Bucket {
  units: number;
  /** What may be used at once; below zero is a debt of one large request, or of all requests when they are only observed. */
  balance: number;
  at: number;
  consumed: number;
  refused: number;
  lowest: number;
}

/** One kind of units of one table since the start. */
export interface Usage {
  readonly table: string;
  readonly kind: UnitKind;
  readonly unitsPerSecond: number;
  readonly consumed: number;
  /** Requests that were refused, or would have been. */
  readonly refused: number;
  /** How much later the last request would have been carried out if units had been enforced, seconds. */
  readonly secondsBehind: number;
}

interface MeterPorts {
  readonly now: () => number;
  readonly metric: (name: string, value: number, dimensions: Readonly<Record<string, string>>) => void;
  /** Called once per table and kind, at the first refusal. */
  readonly onFirstRefusal: (usage: Usage) => void;
}

export class Meter {
  private readonly tables = new Map<string, Readonly<Record<UnitKind, Bucket>>>();

  constructor(
    readonly metering: Metering,
    private readonly ports: MeterPorts,
  ) {}

  /** Null: the table is on demand. The buckets keep their balance. */
  setUnits(table: string, units: Units | null): void {
    const known = this.tables.get(table);
    if (units === null) this.tables.delete(table);
    else if (known === undefined) this.tables.set(table, { Read: this.bucket(units.Read), Write: this.bucket(units.Write) });
    else for (const kind of ["Read", "Write"] as const) this.resize(known[kind], units[kind]);
  }

  meters(table: string): boolean {
    return this.metering !== "off" && this.tables.has(table);
  }

  /**
   * Sets units aside for a request. A request that costs more than one second's units passes when those are there, and leaves a debt.
   * @throws DynamoError ProvisionedThroughputExceededException
   */
  take(table: string, kind: UnitKind, cost: number): void {
    if (!this.tryTake(table, kind, cost)) throw throttled();
  }

  tryTake(table: string, kind: UnitKind, cost: number): boolean {
    const bucket = this.filled(table, kind);
    if (bucket === undefined) return true;
    if (bucket.balance < Math.min(cost, bucket.units)) {
      bucket.refused += 1;
      this.ports.metric(`${kind}ThrottleEvents`, 1, { TableName: table });
      if (bucket.refused === 1) this.ports.onFirstRefusal(usageOf(table, kind, bucket));
      if (this.metering === "enforced") return false;
    }
    bucket.balance -= cost;
    return true;
  }

  /** Books what a request has cost in the end. */
  spend(table: string, kind: UnitKind, cost: number, setAside = cost): void {
    const bucket = this.filled(table, kind);
    if (bucket === undefined) return;
    bucket.balance += setAside - cost;
    bucket.lowest = Math.min(bucket.lowest, bucket.balance);
    bucket.consumed += cost;
    if (cost > 0) this.ports.metric(`Consumed${kind}CapacityUnits`, cost, { TableName: table });
  }

  usage(): readonly Usage[] {
    return [...this.tables].flatMap(([table, kinds]) => [
      usageOf(table, "Read", kinds.Read),
      usageOf(table, "Write", kinds.Write),
    ]);
  }

  private bucket(units: number): Bucket {
    const balance = units * BURST_SECONDS;
    return { units, balance, at: this.ports.now(), consumed: 0, refused: 0, lowest: balance };
  }

  private resize(bucket: Bucket, units: number): void {
    this.refill(bucket);
    bucket.units = units;
  }

  private filled(table: string, kind: UnitKind): Bucket | undefined {
    const bucket = this.tables.get(table)?.[kind];
    if (bucket !== undefined) this.refill(bucket);
    return bucket;
  }

  private refill(bucket: Bucket): void {
    const now = this.ports.now();
    const earned = (Math.max(0, now - bucket.at) / 1000) * bucket.units;
    bucket.balance = Math.min(bucket.units * BURST_SECONDS, bucket.balance + earned);
    bucket.at = now;
  }
}

const usageOf = (table: string, kind: UnitKind, { units, consumed, refused, lowest }: Bucket): Usage => ({
  table,
  kind,
  unitsPerSecond: units,
  consumed,
  refused,
  secondsBehind: Math.max(0, -lowest / units),
});

/** The message is AWS's own. */
export const throttled = (): DynamoError =>
  new DynamoError(400, {
    __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    message:
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
  });
