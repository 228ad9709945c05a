/** How many records per second each part of a stack handles: which part is the bottleneck, and what more capacity costs. */
import { RECORD_COST } from "./capacity-facts";
import type { StackConfig } from "./stack-config";
import { hasQueue, hasTrigger } from "./triggers";

export interface Bottleneck {
  readonly part: string;
  /** Records per second that it handles permanently. */
  readonly recordsPerSecond: number;
  /** Records per second after it has scaled by itself; the same where it does not scale. */
  readonly ceiling: number;
  /** The setting that raises it, with list prices of us-east-1. */
  readonly raise: string;
}

/** With this much memory a function gets a full core ("Configure Lambda function memory", Lambda developer guide). */
const MB_PER_CORE = 1769;
/** "Quotas and limits", Kinesis Data Streams developer guide. */
const RECORDS_PER_SHARD = 1000;
const ON_DEMAND_STREAM = { first: 4000, most: 200_000 };
/** Write units of a new table on demand, and the quota of a table ("Quotas in Amazon DynamoDB", developer guide). */
const ON_DEMAND_TABLE = { first: 4000, most: 40_000 };
/** Requests per second with one prefix ("Best practices design patterns: optimizing Amazon S3 performance"). */
const S3_PUTS = 3500;
/** "Amazon EventBridge quotas": 10,000 in us-east-1 and us-west-2, and fewer elsewhere; an entry counts once per 64 KB or part of it. */
const BUS_CALLS = 10_000;
/** Shards and table units may differ by this factor, in records per second, before a preview warns. */
/** MB/s that a delivery stream takes at first, in the larger regions; 1 in the others. */
const DELIVERY_STREAM_MB = 5;
const UNBALANCED = 10;

/** The parts, in the order in which a record passes them. */
export function bottlenecks(config: StackConfig): readonly Bottleneck[] {
  return [
    ...(hasTrigger(config, "kinesis") ? [shards(config), scorer(config)] : []),
    ...(hasTrigger(config, "firehose") ? [deliveryStream(), transformation(config)] : []),
    ...(hasQueue(config) ? [queueScorer(config)] : []),
    resultWrites(config),
    resultReads(config),
    stateWrites(),
    archive(config),
    bus(),
  ];
}

/** The part with the lowest permanent rate. */
export function binding(parts: readonly Bottleneck[]): Bottleneck {
  return parts.reduce((least, part) => (part.recordsPerSecond < least.recordsPerSecond ? part : least));
}

/** Warnings for a preview: shards that deliver far more than the table takes, or units far beyond what the shards deliver. */
export function capacityWarnings(config: StackConfig): readonly string[] {
  if (config["fraud.capacityMode"] === "onDemand" || !hasTrigger(config, "kinesis")) return [];
  const stream = shards(config).recordsPerSecond;
  const { recordsPerSecond, ceiling } = resultWrites(config);
  const units = config["fraud.writeCapacity"];
  if (stream > units * UNBALANCED) {
    return [
      `The stream takes ${perSecond(stream)} records per second (fraud.shards), its results table ${perSecond(recordsPerSecond)}, after auto scaling ${perSecond(ceiling)} (fraud.writeCapacity, fraud.writeCapacityMax). Records that come faster for long wait in the stream, and are given up after fraud.maxAgeSeconds. For real traffic set fraud.capacityMode to onDemand, or raise the units; docs/capacity.md has the numbers.`,
    ];
  }
  if (units > stream * UNBALANCED) {
    return [
      `The results table takes ${perSecond(recordsPerSecond)} records per second (fraud.writeCapacity), its stream ${perSecond(stream)} (fraud.shards): most units are paid for and never used. Lower fraud.writeCapacity, or raise fraud.shards.`,
    ];
  }
  return [];
}

/** With records as large as those of a shard's limit. "Data Firehose quotas". */
function deliveryStream(): Bottleneck {
  const rate = DELIVERY_STREAM_MB * RECORDS_PER_SHARD;
  return {
    part: "Delivery stream",
    recordsPerSecond: rate,
    ceiling: rate,
    raise: "a higher quota of AWS; $0.029 a GB in, each record rounded up to 5 KB",
  };
}

/** Firehose invokes about once at a time for each MB/s. */
function transformation(config: StackConfig): Bottleneck {
  const executions = config.reserveConcurrency ? config["fraud.reservedConcurrency"] : DELIVERY_STREAM_MB;
  const rate = Math.min(DELIVERY_STREAM_MB, executions) * recordsPerExecution(config);
  return {
    part: "Delivery stream's function",
    recordsPerSecond: rate,
    ceiling: rate,
    raise: `\`fraud.memoryMb\` up to ${MB_PER_CORE}, then a higher quota of the delivery stream: $0.0000133 a GB and second used`,
  };
}

function shards(config: StackConfig): Bottleneck {
  const part = "Kinesis stream";
  if (config["fraud.capacityMode"] === "onDemand") {
    const raise =
      "follows the load up to twice the peak of the last 30 days; $29 a stream and month, $0.08 a GB in, $0.04 a GB out";
    return { part, recordsPerSecond: ON_DEMAND_STREAM.first, ceiling: ON_DEMAND_STREAM.most, raise };
  }
  const most = config["fraud.shards"] * RECORDS_PER_SHARD;
  return {
    part,
    recordsPerSecond: most,
    ceiling: most,
    raise: "`fraud.shards`: $11 a shard and month, and $0.014 a million records",
  };
}

/** Concurrent batches, one per shard and lane; a stream on demand starts with four shards and gets more. */
function lanes(config: StackConfig): { readonly first: number; readonly most: number } {
  const isOnDemand = config["fraud.capacityMode"] === "onDemand";
  const shardCount = isOnDemand ? ON_DEMAND_STREAM.first / RECORDS_PER_SHARD : config["fraud.shards"];
  const wanted = shardCount * config["fraud.parallelization"];
  if (!config.reserveConcurrency) return { first: wanted, most: wanted };
  const reserved = config["fraud.reservedConcurrency"];
  const first = Math.min(wanted, reserved);
  return { first, most: isOnDemand ? reserved : first };
}

/** Of one execution. JavaScript runs on one core, so more memory than that brings nothing. */
const recordsPerExecution = (config: StackConfig): number =>
  (Math.min(1, config["fraud.memoryMb"] / MB_PER_CORE) * 1000) / RECORD_COST.cpuMilliseconds;

function queueScorer(config: StackConfig): Bottleneck {
  const rate = config["fraud.queueConcurrency"] * recordsPerExecution(config);
  return {
    part: "Queue function",
    recordsPerSecond: rate,
    ceiling: rate,
    raise: `\`fraud.memoryMb\` up to ${MB_PER_CORE}, then \`fraud.queueConcurrency\`: $0.0000133 a GB and second used; $0.40 a million messages, three calls each at worst`,
  };
}

function scorer(config: StackConfig): Bottleneck {
  const perLane = recordsPerExecution(config);
  const { first, most } = lanes(config);
  return {
    part: "Stream function",
    recordsPerSecond: first * perLane,
    ceiling: most * perLane,
    raise: `\`fraud.memoryMb\` up to ${MB_PER_CORE}, then \`fraud.parallelization\` and \`fraud.reservedConcurrency\`: $0.0000133 a GB and second used, however many run`,
  };
}

function resultWrites(config: StackConfig): Bottleneck {
  const part = "Results table, writes";
  if (config["fraud.capacityMode"] === "onDemand") return onDemandTable(part, RECORD_COST.resultWriteUnits);
  return {
    part,
    recordsPerSecond: config["fraud.writeCapacity"] / RECORD_COST.resultWriteUnits,
    ceiling: config["fraud.writeCapacityMax"] / RECORD_COST.resultWriteUnits,
    raise: "`fraud.writeCapacity` and `fraud.writeCapacityMax`: $0.47 a unit and month",
  };
}

function resultReads(config: StackConfig): Bottleneck {
  const part = "Results table, reads of what is delivered again";
  if (config["fraud.capacityMode"] === "onDemand") return onDemandTable(part, RECORD_COST.resultReadUnits);
  return {
    part,
    recordsPerSecond: config["fraud.readCapacity"] / RECORD_COST.resultReadUnits,
    ceiling: config["fraud.readCapacityMax"] / RECORD_COST.resultReadUnits,
    raise: "`fraud.readCapacity` and `fraud.readCapacityMax`: $0.09 a unit and month",
  };
}

const stateWrites = (): Bottleneck => onDemandTable("State table, writes", RECORD_COST.stateWriteUnits);

const onDemandTable = (part: string, units: number): Bottleneck => ({
  part,
  recordsPerSecond: ON_DEMAND_TABLE.first / units,
  ceiling: ON_DEMAND_TABLE.most / units,
  raise: "follows the load; $0.625 a million writes, $0.125 a million reads; beyond 40,000 a quota increase",
});

/** One object per batch, and another for its alerts. */
function archive(config: StackConfig): Bottleneck {
  const rate = (S3_PUTS / 2) * config["fraud.batchSize"];
  return { part: "S3 archive", recordsPerSecond: rate, ceiling: rate, raise: "`fraud.batchSize`: $5 a million objects" };
}

/** Each alert in a call of its own, which is the worst case. */
function bus(): Bottleneck {
  const rate = BUS_CALLS / RECORD_COST.alertShare;
  return { part: "Event bus", recordsPerSecond: rate, ceiling: rate, raise: "a quota increase; $1 a million alerts" };
}

const perSecond = (rate: number): string => (rate < 10 ? rate.toFixed(1) : Math.floor(rate).toLocaleString("en-US"));
