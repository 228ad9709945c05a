/** Writes docs/capacity.md from the three stack files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStackConfig } from "@risk/program-graph";
import { type Bottleneck, binding, bottlenecks, capacityWarnings } from "../stacks/capacity";
import { RECORD_COST } from "../stacks/capacity-facts";
import { parseConfig } from "../stacks/config";
import type { StackConfig } from "../stacks/stack-config";

const STACKS = ["dev", "staging", "prod"] as const;
/** A month has 730 hours on AWS's price pages. */
const MONTH_SECONDS = 730 * 3600;
/** List prices of us-east-1, dollars. */
const UNIT_MONTH = 0.00065 * 730;
const MILLION_WRITES = 0.625;

type Configs = Readonly<Record<(typeof STACKS)[number], StackConfig>>;

/** The document as Markdown. */
export function capacityDoc(configs: Configs): string {
  const parts = STACKS.map((stack) => bottlenecks(configs[stack]));
  const onDemand = bottlenecks({ ...configs.prod, "fraud.capacityMode": "onDemand" });
  // Dev has every trigger, and so every part.
  const [first = []] = parts;
  const rows = first.map(({ part, raise }) => {
    const cells = [...parts, onDemand].map((list) => {
      const found = list.find((one) => one.part === part);
      return found === undefined ? "–" : cell(found, binding(list));
    });
    return `| ${part} | ${cells.join(" | ")} | ${raise} |`;
  });
  return `${[
    "# Capacity",
    "",
    "How many records a second each part of the stream takes, which capacity mode to choose, and what happens when records arrive faster. `npm run docs`",
    "makes this page from `stacks/capacity.ts` and the stack files.",
    "",
    "`a → b` means that a part scales by itself from the first figure to the second. The bottleneck is bold: records that arrive faster",
    "wait in the stream and are stored late. None is lost before it is older than `fraud.maxAgeSeconds`: the alarm on `IteratorAge` goes off after",
    "five minutes, and a record that gets too old goes, whole, to the failure destination in S3. A delivery stream doesn't wait: it tries an invocation four",
    "times, then keeps its records under `failed/`; so use the trigger `firehose` with `onDemand`, or with units for its peak.",
    "",
    "| Records/s | dev | staging | prod | prod with `onDemand` | To raise it |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `A record costs ${RECORD_COST.cpuMilliseconds} ms of one core, ${RECORD_COST.resultWriteUnits} write units of the results table and at most one of the`,
    `state table, with ${RECORD_COST.alertShare * 100} % alerts: \`stacks/capacity-facts.ts\` says where each figure comes from. The warehouse loads whole objects, of up to`,
    "`fraud.batchSize` records each, on its own schedule, and never slows the stream. How fast Redshift loads them has not been measured; the alarm on",
    "freshness goes off when it lags.",
    "",
    "The write units were measured in the demo. A user's first event costs the same as the next ones, and so does a transaction that is sent twice. New",
    "records read nothing from the results table; redelivered records cost a read instead of the write. While a table has no units left, a batch is cut off",
    "when its time ends, and each record that it finished costs a second write, which moves it to a smaller archive object. The table then stores half as many",
    "records.",
    "",
    "## Which mode",
    "",
    "`fraud.capacityMode` applies to the stream and the results table together, since the slower of them decides.",
    "",
    "- **`onDemand` for real traffic**: both follow the load within seconds, and you don't have to know it beforehand.",
    "- **`provisioned` for a trial, or for an even load that you know**: a write unit that is always used costs",
    `  $${UNIT_MONTH.toFixed(2)} a month, the same writes on demand $${((MONTH_SECONDS / 1e6) * MILLION_WRITES).toFixed(2)}. Units that are used less than ${Math.round((UNIT_MONTH / ((MONTH_SECONDS / 1e6) * MILLION_WRITES)) * 100)} % of the time cost more than on demand.`,
    "",
    "A preview warns when shards and units differ by more than a factor of ten. The shipped stacks get these warnings:",
    "",
    ...STACKS.flatMap((stack) => capacityWarnings(configs[stack]).map((warning) => `- ${stack}: ${warning}`)),
    "",
    "A change of mode updates the table and the stream in place. AWS lets a table switch to on demand four times a day. On the way back the provider",
    "starts with one unit, because the program ignores the units that auto scaling changes; auto scaling raises them to `fraud.writeCapacity`.",
    "",
    "## What a slow table does",
    "",
    "1. A provisioned table saves up to five minutes of unused units: dev takes a burst of 1,500 records at once.",
    "2. After that, DynamoDB throttles writes. The function waits with jitter and keeps fewer writes in flight, so that records are stored nearly in order.",
    "   Shortly before its time ends it finishes what it has and reports the first remaining record. So, however slow a table is, each invocation that",
    "   gets some units finishes some records.",
    "3. The event source delivers from that record again until the records reach their maximum age: `fraud.maxRetries` is -1. A limit would count every such",
    "   delivery as a failed one, and give up records that were only waiting.",
    "4. Auto scaling raises the units after about two minutes at over 70 %, up to `fraud.writeCapacityMax`.",
    "",
    "Waiting is billed like work: a function of 512 MB that waits all month costs $18 per shard, and the units that it waits for $0.47 each.",
    "",
    "The metric `Throttled` counts throttled writes, and `batch_waits` in the log says where a batch stopped. Records that make the code itself fail don't wait",
    "with the others: the invocation fails, Lambda halves the batch, and the record goes to quarantine as `processing_error` once it is alone. Only a record that",
    "kills the process each time (out of memory, an endless loop) blocks its shard until it reaches its maximum age. In that case set `fraud.maxRetries` to 3",
    "until the record is in the failure destination; `npm run redrive` brings it back.",
    "",
    "Messages of the queue (triggers `eventbridge` and `rest`) wait as well: what a delivery didn't finish comes again after six time limits of the function. SQS",
    "counts deliveries, so the queue allows as many as fit into `fraud.maxAgeSeconds`, at most a thousand. `fraud.queueConcurrency` bounds its function, which",
    "has no reserved executions: a poller that finds none would use up deliveries. They come out of the account's unreserved ones.",
    "",
    "On one machine, `npm start` holds tables to their units, and `npm start -- --no-metering` doesn't. `npm run demo` doesn't either, and says how",
    "much longer AWS would have taken. Auto scaling doesn't follow the load there: a table keeps its first units.",
    "",
    "## Retention and age",
    "",
    "Records older than `fraud.maxAgeSeconds` are given up, so a longer `fraud.retentionHours` would be useless and is refused. Both are 24 hours",
    "by default. In prod both are seven days, which covers a weekend without staff and Security Hub's Kinesis.3; it costs $0.02 more per shard and hour, $58 a",
    "month for four shards. Records that are given up are kept, whole, in the failure destination.",
  ].join("\n")}\n`;
}

function cell(part: Bottleneck, least: Bottleneck): string {
  const range =
    part.ceiling === part.recordsPerSecond
      ? shown(part.recordsPerSecond)
      : `${shown(part.recordsPerSecond)} → ${shown(part.ceiling)}`;
  return part.part === least.part ? `**${range}**` : range;
}

/** Rounds to two digits: the figures are no more precise than that. */
function shown(rate: number): string {
  if (rate < 10) return rate.toFixed(1);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1);
  return (Math.floor(rate / step) * step).toLocaleString("en-US");
}

/** Parses the stack files below `root`. */
export function stackConfigs(root: string): Configs {
  const read = (stack: string): StackConfig => {
    const { values, region } = readStackConfig(root, stack, {});
    return parseConfig(stack, { ...values, "aws:region": region });
  };
  return { dev: read("dev"), staging: read("staging"), prod: read("prod") };
}

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  writeFileSync(join(process.cwd(), "docs", "capacity.md"), capacityDoc(stackConfigs(process.cwd())));
}
