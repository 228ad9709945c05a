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
    "How many records per second each part of the stream handles, generated from `stacks/capacity.ts` and the stack files by",
    "`node dist/build/capacity-doc.js`. `a → b` grows by itself from the first to the second. The bottleneck is bold: records that come faster",
    "wait in the stream and are stored late. None is given up until it is older than `fraud.maxAgeSeconds`; the alarm on `IteratorAge` goes off after",
    "five minutes. Older records go to the failure destination in S3, complete.",
    "",
    "| Records/s | dev | staging | prod | prod with `onDemand` | How to raise it |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `A record is assumed to cost ${RECORD_COST.cpuMilliseconds} ms of one core, ${RECORD_COST.resultWriteUnits} write units of the results table and at most one of the`,
    `state table, with ${RECORD_COST.alertShare * 100} % alerts: \`stacks/capacity-facts.ts\` says where each figure comes from. The warehouse loads whole objects, of up to`,
    "`fraud.batchSize` records each, on its own schedule, and never slows the stream down. How fast Redshift loads them is not measured; the alarm on",
    "freshness reports when it lags.",
    "",
    "The write units are measured in the demo: a user's first event and later ones cost the same, and so does a transaction that is sent twice. New records read",
    "nothing from the results table; records that are delivered again cost a read instead of the write. While a table has no units left, a batch ends",
    "when its time is up, and each record that it finished costs a second write, which moves it to a smaller archive object: the table then handles half as many.",
    "",
    "## Which mode",
    "",
    "`fraud.capacityMode` is one choice for the stream and the results table, because the slower of the two decides.",
    "",
    "- **`onDemand` for real traffic**: both scale with the load within seconds, and nobody has to estimate it.",
    "- **`provisioned` for a trial, or for a known, even load**: a write unit that is always used costs",
    `  $${UNIT_MONTH.toFixed(2)} a month, the same writes on demand $${((MONTH_SECONDS / 1e6) * MILLION_WRITES).toFixed(2)}. Units that are used less than ${Math.round((UNIT_MONTH / ((MONTH_SECONDS / 1e6) * MILLION_WRITES)) * 100)} % of the time cost more than requests.`,
    "",
    "A preview warns when shards and units differ by more than ten times. The shipped stacks do:",
    "",
    ...STACKS.flatMap((stack) => capacityWarnings(configs[stack]).map((warning) => `- ${stack}: ${warning}`)),
    "",
    "Changing the mode changes table and stream in place. AWS lets a table switch to on demand four times a day. On the way back the provider",
    "starts with one unit, because the program ignores the units that auto scaling changes; auto scaling raises them to `fraud.writeCapacity`.",
    "",
    "## What a slow table does",
    "",
    "1. A provisioned table saves up unused units for five minutes: dev handles a burst of 1,500 records at once.",
    "2. When those are used up, DynamoDB refuses writes. The function waits with jitter and makes fewer writes at once, so that records are stored nearly in",
    "   order. Shortly before its time is up it finishes what it has and reports the first unfinished record: however slow a table is, each invocation that",
    "   gets some units finishes some records.",
    "3. The event source delivers from there again, until the records are too old: `fraud.maxRetries` is -1. A limit would count every such delivery as",
    "   a failed one, and give up records that were only waiting.",
    "4. After about two minutes above 70 %, auto scaling raises the units, up to `fraud.writeCapacityMax`.",
    "",
    "Waiting is billed like work: a function with 512 MB that waits all month costs $18 per shard; the units that it waits for cost $0.47 each.",
    "",
    "The metric `Throttled` counts refusals, and `batch_waits` in the log says where a batch stopped. Records that make the code itself fail don't wait with",
    "the others: the invocation fails, Lambda halves the batch, and the record goes to quarantine as `processing_error` once it is alone. Only a record that",
    "kills the process each time (out of memory, an endless loop) holds up its shard until it is too old: set `fraud.maxRetries` to 3 for as long as it",
    "takes to get it into the failure destination.",
    "",
    "On one machine `npm start` limits tables to their units, and `npm start -- --no-metering` doesn't. `npm run demo` doesn't either, and reports how",
    "much longer AWS would have taken. There is no auto scaling there: a table keeps its initial units.",
    "",
    "## Retention and age",
    "",
    "Records older than `fraud.maxAgeSeconds` are given up, so there is no point in keeping them longer: a longer `fraud.retentionHours` is refused. Both are 24 hours",
    "by default. prod has seven days for both, to survive a weekend without anybody there and for Security Hub's Kinesis.3: $0.02 more per shard and hour, $58 a",
    "month for four shards. Records that are given up are in the failure destination, complete.",
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
