/** Writes docs/capacity.md from the three stack files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readStackConfig } from "@risk/program-graph";
import { type Bottleneck, binding, bottlenecks, capacityWarnings } from "../stacks/capacity";
import { RECORD_COST } from "../stacks/capacity-facts";
import { parseConfig } from "../stacks/config";
import type { StackConfig } from "../stacks/stack-config";

const STACKS = ["dev", "staging", "prod"] as const;
/** A month of 730 hours, as AWS's price pages count. */
const MONTH_SECONDS = 730 * 3600;
/** List prices of us-east-1, dollars. */
const UNIT_MONTH = 0.00065 * 730;
const MILLION_WRITES = 0.625;

type Configs = Readonly<Record<(typeof STACKS)[number], StackConfig>>;

/** The document as Markdown. */
export function capacityDoc(configs: Configs): string {
  const parts = STACKS.map((stack) => bottlenecks(configs[stack]));
  const onDemand = bottlenecks({ ...configs.prod, "fraud.capacityMode": "onDemand" });
  const [first = []] = parts;
  const rows = first.map(({ part, raise }, row) => {
    const cells = [...parts, onDemand].map((list) => cell(list[row] as Bottleneck, binding(list)));
    return `| ${part} | ${cells.join(" | ")} | ${raise} |`;
  });
  return `${[
    "# Capacity",
    "",
    "How many records a second each part of the stream takes, made from `stacks/capacity.ts` and the stack files by",
    "`node dist/build/capacity-doc.js`. `a → b` grows by itself from the first to the second. The part that binds is bold: what comes faster",
    "waits in the stream and is stored late. Nothing is lost until it is older than `fraud.maxAgeSeconds`; the alarm on `IteratorAge` tells after",
    "five minutes, and then the whole record goes to the failure destination in S3.",
    "",
    "| Records/s | dev | staging | prod | prod with `onDemand` | More of it |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `A record is taken as ${RECORD_COST.cpuMilliseconds} ms of one core, ${RECORD_COST.resultWriteUnits} write units of the results table and at most one of the`,
    `state table, with ${RECORD_COST.alertShare * 100} % alerts: \`stacks/capacity-facts.ts\` says where each figure comes from. The warehouse loads whole objects, of up to`,
    "`fraud.batchSize` records each, on its own schedule, and never slows the stream; how fast Redshift loads them is not measured, and the alarm on",
    "freshness tells when it lags.",
    "",
    "The write units are the demo's: a user's first event and the next ones cost the same, and so does a transaction that is sent twice. New records read",
    "nothing from the results table; records that are delivered again cost a read instead of the write. While a table has no units left, a batch is cut off",
    "where its time ends, and each record it finished costs a second write, which moves it to a smaller archive object: then the table takes half as much.",
    "",
    "## Which mode",
    "",
    "`fraud.capacityMode` is one choice for the stream and the results table, since the slower of them decides.",
    "",
    "- **`onDemand` for real traffic**: both follow the load within seconds, and nobody has to know it beforehand.",
    "- **`provisioned` for a trial, or for an even load that is known**: a write unit that is always used costs",
    `  $${UNIT_MONTH.toFixed(2)} a month, the same writes on demand $${((MONTH_SECONDS / 1e6) * MILLION_WRITES).toFixed(2)}. Units that are used less than ${Math.round((UNIT_MONTH / ((MONTH_SECONDS / 1e6) * MILLION_WRITES)) * 100)} % of the time cost more than requests.`,
    "",
    "A preview warns when shards and units differ by more than ten times. The shipped stacks do:",
    "",
    ...STACKS.flatMap((stack) => capacityWarnings(configs[stack]).map((warning) => `- ${stack}: ${warning}`)),
    "",
    "A change of mode touches the table and the stream in place. AWS lets a table go to on demand four times a day. On the way back the provider",
    "starts with one unit, because the program ignores the units that auto scaling changes; auto scaling raises them to `fraud.writeCapacity`.",
    "",
    "## What a slow table does",
    "",
    "1. A provisioned table saves up to five minutes of unused units: dev takes a burst of 1,500 records at once.",
    "2. Beyond them DynamoDB refuses writes. The function waits with jitter, keeps fewer writes under way so that records are stored nearly in order,",
    "   and shortly before its time ends finishes what it has and reports the first record that is left: however slow a table is, each invocation that",
    "   gets some units finishes some records.",
    "3. The event source delivers from there again, until the records' age ends: `fraud.maxRetries` is -1. A limit would count every such delivery as",
    "   a failed one, and give up what was only waiting.",
    "4. Auto scaling raises the units after about two minutes at over 70 %, up to `fraud.writeCapacityMax`.",
    "",
    "Waiting is billed like work: a function of 512 MB that waits all month costs $18 a shard, and the units that it waits for $0.47 each.",
    "",
    "The metric `Throttled` counts refusals, and `batch_waits` in the log says where a batch stopped. Records that break the code itself don't wait with",
    "the others: the invocation fails, Lambda halves the batch, and the record goes to quarantine as `processing_error` once it is alone. Only a record that",
    "kills the process each time (out of memory, an endless loop) holds up its shard until its age ends: set `fraud.maxRetries` to 3 for as long as it",
    "takes to get it into the failure destination.",
    "",
    "On one machine `npm start` holds tables to their units, and `npm start -- --no-metering` lets them take all. `npm run demo` takes all and says how",
    "much later AWS would have been done. Auto scaling doesn't follow the load there: a table keeps its first units.",
    "",
    "## Retention and age",
    "",
    "Records older than `fraud.maxAgeSeconds` are given up, so the stream keeps none longer: `fraud.retentionHours` beyond it is refused. Both are 24 hours",
    "by default. prod has seven days of both, for a weekend without anybody there and for Security Hub's Kinesis.3: $0.02 a shard and hour more, $58 a",
    "month for four shards. What is given up lies whole in the failure destination.",
  ].join("\n")}\n`;
}

function cell(part: Bottleneck, least: Bottleneck): string {
  const range =
    part.ceiling === part.recordsPerSecond
      ? shown(part.recordsPerSecond)
      : `${shown(part.recordsPerSecond)} → ${shown(part.ceiling)}`;
  return part.part === least.part ? `**${range}**` : range;
}

/** Two digits are all that the figures bear. */
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
