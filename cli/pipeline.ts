/** `npm run pipeline`: runs the deployed state machines for training and batch scoring, and fills a platform with history. */
import { randomUUID } from "node:crypto";
import { join, relative } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { connect } from "./demo/clients";
import { type CommandLine, type Parsed, parseCommandLine, runCommand, UsageError } from "./options";
import { readOutputs } from "./outputs";
import { messageOf } from "./pipelines/events";
import { fill } from "./pipelines/fill";
import { follow, type Outcome } from "./pipelines/follow";
import { approve as approveModel, registeredModel } from "./pipelines/registry";
import { describeEvaluation, downloadReport } from "./pipelines/report";
import { uploadSource } from "./pipelines/source-file";
import { PIPELINES, type PipelineName, type PipelineTarget, pipelineTarget } from "./pipelines/target";
import { Progress, paint, table } from "./terminal";
import { EVENTS_PER_USER, history } from "./training/history";

const command: CommandLine = {
  usage: "npm run pipeline -- training|inference|history|status [options]",
  about: [
    "training   extracts labelled history, checks it, trains, evaluates against the champion, and registers the model for approval",
    "inference  scores a day or a range of days with the champion and merges the scores into the warehouse",
    "history    fills the running platform with 60 days of transactions and their labels; needs npm start -- --no-metering",
    "status     lists past and present runs",
    "",
    "Works on the platform that runs on this machine (npm start), or on a stack with --aws. The first local run creates a Python",
    "environment under .local/python, which takes about a minute. Python 3.10 to 3.12 and Java 17 must be installed.",
  ].join("\n"),
  options: {
    dataset: {
      type: "string",
      value: "NAME",
      help: "Dataset to learn from or to score: fraud, churn or device.",
      default: "fraud",
    },
    file: { type: "string", value: "CSV", help: "Rows to use instead of the dataset's source: key[,time],features…,label." },
    "as-of": {
      type: "string",
      value: "DATE",
      help: "training: uses only what was known on that date, e.g. 2026-11-01. Default: now.",
    },
    approve: { type: "boolean", help: "training: approves the model at once and waits for its promotion." },
    date: { type: "string", value: "DATE", help: "inference: day to score. Default: yesterday (UTC)." },
    from: { type: "string", value: "DATE", help: "inference: first day of a range." },
    to: { type: "string", value: "DATE", help: "inference: last day of a range." },
    users: {
      type: "string",
      value: "N",
      help: `history: number of card holders, with about ${EVENTS_PER_USER} transactions each.`,
      default: "400",
    },
    seed: { type: "string", value: "N", help: "history: seed of the random history.", default: "11" },
    "no-wait": { type: "boolean", help: "Starts the execution, prints its ARN and exits." },
    aws: { type: "boolean", help: "Works on a stack on AWS, with credentials from the environment." },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
    json: { type: "boolean", help: "Prints JSON, for scripts; progress goes to standard error." },
  },
  examples: [
    "npm run pipeline -- history",
    "npm run pipeline -- training",
    "npm run pipeline -- training --dataset churn --file bank-churn.csv --approve",
    "npm run pipeline -- inference --date 2026-11-20",
    "npm run pipeline -- inference --from 2026-11-01 --to 2026-11-07",
    "npm run pipeline -- status --json",
  ],
};

const DAY_MS = 86_400_000;
const FOLDER = join(".local", "pipelines");

async function main(): Promise<number> {
  const parsed = parseCommandLine(command);
  const [action, ...extra] = parsed.positionals;
  if (extra.length > 0) throw new UsageError(`Expected one action, got also: ${extra.join(", ")}.`);
  if (action === "history") return fillPlatform(parsed);
  const isPipeline = PIPELINES.some((name) => name === action);
  if (action !== "status" && !isPipeline) {
    throw new UsageError(
      `Expected training, inference, history or status, got ${action === undefined ? "nothing" : `"${action}"`}.`,
    );
  }
  const target = pipelineTarget({ aws: parsed.flag("aws"), outputsFile: parsed.text("outputs") });
  try {
    return action === "status" ? await status(target, parsed) : await run(target, action as PipelineName, parsed);
  } finally {
    target.close();
  }
}

async function run(target: PipelineTarget, pipeline: PipelineName, parsed: Parsed): Promise<number> {
  const dataset = parsed.text("dataset") ?? "fraud";
  const input = { dataset, ...(pipeline === "training" ? trainingInput(parsed) : inferenceInput(parsed)) };
  const file = parsed.text("file");
  const key = file === undefined ? undefined : await uploadSource(target, dataset, file);
  const started = await target.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: target.machines[pipeline],
      name: `${dataset}-${randomUUID()}`,
      input: JSON.stringify({ ...input, ...(key === undefined ? {} : { file: key }) }),
    }),
  );
  const executionArn = started.executionArn ?? "";
  if (parsed.flag("no-wait")) {
    process.stdout.write(parsed.flag("json") ? `${JSON.stringify({ executionArn })}\n` : `${executionArn}\n`);
    return 0;
  }
  const print = progressPrinter(parsed);
  print(`${pipeline} of ${dataset}`);
  const outcome = await follow(target.sfn, executionArn, { print, pollMs: target.pollMs, pause });
  if (outcome.status !== "SUCCEEDED") return failed(outcome, parsed);
  print(`${paint("green", "●")} ${pipeline} of ${dataset} succeeded in ${outcome.seconds.toFixed(1)} s`);
  return pipeline === "training" ? trained(target, outcome, parsed) : scored(outcome, parsed);
}

const DATE = /^\d{4}-\d\d-\d\d$/;

function dateOption(parsed: Parsed, name: string): string | undefined {
  const text = parsed.text(name);
  if (text === undefined || (DATE.test(text) && !Number.isNaN(Date.parse(text)))) return text;
  throw new UsageError(`--${name}: expected a date such as 2026-11-20, got "${text}".`);
}

function trainingInput(parsed: Parsed): Record<string, string> {
  const asOf = dateOption(parsed, "as-of");
  return asOf === undefined ? {} : { asOf };
}

function inferenceInput(parsed: Parsed): Record<string, string> {
  const [date, from, to] = [dateOption(parsed, "date"), dateOption(parsed, "from"), dateOption(parsed, "to")];
  if (date !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError("--date is one day, --from and --to are a range: use one or the other.");
  if ((from === undefined) !== (to === undefined)) throw new UsageError("A range needs --from and --to.");
  if (from !== undefined && to !== undefined) return { from, to };
  return date === undefined ? {} : { date };
}

/** Prints progress; with --json to standard error, so that it doesn't mix with the JSON. */
function progressPrinter(parsed: Parsed): (line: string) => void {
  const out = parsed.flag("json") ? process.stderr : process.stdout;
  return (line) => void out.write(`${line}\n`);
}

function failed(outcome: Outcome, parsed: Parsed): number {
  const { status, error, cause, name, executionArn, seconds } = outcome;
  if (parsed.flag("json")) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  else
    process.stdout.write(
      [
        `${paint("red", "●")} ${status.toLowerCase()} after ${seconds.toFixed(1)} s: ${error ?? "no error given"}`,
        messageOf(cause) ?? "",
        `Execution ${name}  (${executionArn})`,
        "",
      ].join("\n"),
    );
  return 1;
}

/** Output of a successful training, from the state machine's last state. */
interface TrainingOutput {
  readonly dataset: string;
  readonly modelName: string;
}

async function trained(target: PipelineTarget, outcome: Outcome, parsed: Parsed): Promise<number> {
  // Our own state machine wrote it.
  const model = outcome.output as TrainingOutput;
  const folder = join(FOLDER, model.modelName);
  const { files, evaluation } = await downloadReport(target, model, folder);
  if (!parsed.flag("json")) process.stdout.write(`\n${describeEvaluation(evaluation)}\n\n`);
  const promotion = parsed.flag("approve") ? await approve(target, model, parsed) : undefined;
  if (parsed.flag("json")) {
    process.stdout.write(`${JSON.stringify({ ...model, seconds: outcome.seconds, evaluation, files, promotion }, null, 2)}\n`);
  } else {
    const next = parsed.flag("approve") ? [] : [`Approve it: npm run model -- approve ${model.modelName}`];
    process.stdout.write(`${[`Report and pictures: ${relative(process.cwd(), folder)}/`, ...next].join("\n")}\n`);
  }
  return promotion === undefined || promotion.status === "SUCCEEDED" ? 0 : 1;
}

async function approve(target: PipelineTarget, plan: TrainingOutput, parsed: Parsed): Promise<Outcome | undefined> {
  const print = progressPrinter(parsed);
  const model = await registeredModel(target, plan.modelName, plan.dataset);
  print(`promotion of ${plan.modelName}`);
  const execution = await approveModel(target, model, "npm run pipeline -- training --approve", pause);
  if (execution === undefined) throw new Error("The approval started no promotion within a minute; check its EventBridge rule.");
  const outcome = await follow(target.sfn, execution, { print, pollMs: target.pollMs, pause });
  const mark = outcome.status === "SUCCEEDED" ? paint("green", "●") : paint("red", "●");
  print(`${mark} promotion ${outcome.status.toLowerCase()} ${messageOf(outcome.cause) ?? ""}`.trimEnd());
  return outcome;
}

/** Output of a successful inference. */
interface InferenceOutput {
  readonly modelName: string;
  readonly rows: number;
  readonly results: readonly { readonly date: string; readonly status: string; readonly rows: number }[];
}

function scored(outcome: Outcome, parsed: Parsed): number {
  // Our own state machine wrote it.
  const summary = outcome.output as InferenceOutput;
  if (parsed.flag("json")) {
    process.stdout.write(`${JSON.stringify({ ...summary, seconds: outcome.seconds }, null, 2)}\n`);
    return 0;
  }
  const rows = summary.results.map(({ date, status: state, rows: count }) => [date, state, count]);
  process.stdout.write(`\n${table(["day", "", "rows"], rows)}\n\nModel ${summary.modelName}; table risk.batch_scores\n`);
  return 0;
}

async function status(target: PipelineTarget, parsed: Parsed): Promise<number> {
  const names = [...PIPELINES, "promotion"] as const;
  const lists = await Promise.all(
    names.map(async (pipeline) => {
      const stateMachineArn = target.machines[pipeline];
      const { executions = [] } = await target.sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 10 }));
      return Promise.all(
        executions.map(async ({ executionArn, name = "", status: state = "", startDate }) => {
          const detail = state === "FAILED" ? await target.sfn.send(new DescribeExecutionCommand({ executionArn })) : undefined;
          return {
            pipeline,
            name,
            status: state as string,
            startedAt: startDate?.toISOString() ?? "",
            error: detail?.error ?? "",
          };
        }),
      );
    }),
  );
  const all = lists.flat().sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const rows = all.map(({ pipeline, startedAt, status: state, error, name }) => [startedAt, pipeline, state, error, name]);
  const text = rows.length === 0 ? "Nothing has run yet." : table(["started", "pipeline", "status", "error", "execution"], rows);
  process.stdout.write(parsed.flag("json") ? `${JSON.stringify(all, null, 2)}\n` : `${text}\n`);
  return 0;
}

async function fillPlatform(parsed: Parsed): Promise<number> {
  if (parsed.flag("aws"))
    throw new UsageError("history fills the platform on this machine; a stack on AWS gets its events from its producers.");
  const users = wholeNumber(parsed, "users", 1, 20_000);
  const seed = wholeNumber(parsed, "seed", 0, 2 ** 32 - 1);
  const outputs = readOutputs();
  // Ends at the last midnight, so that yesterday is complete.
  const endMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const made = history({ seed, users, endMs });
  const clients = await connect(outputs);
  try {
    const bars = new Map<string, Progress>();
    const filled = await fill(clients, outputs, made, (stage, done, total) => {
      const bar = bars.get(stage) ?? new Progress(stage, total);
      bars.set(stage, bar);
      bar.update(done);
      if (done === total) bar.end();
    });
    process.stdout.write(
      parsed.flag("json")
        ? `${JSON.stringify(filled, null, 2)}\n`
        : `${filled.scored} of ${filled.events} transactions scored and in the warehouse, ${filled.labelled} of ${filled.labels} labels.\n` +
            "Train on them: npm run pipeline -- training\n",
    );
    return filled.scored === filled.events && filled.labelled === filled.labels ? 0 : 1;
  } finally {
    await clients.close();
  }
}

function wholeNumber(parsed: Parsed, name: string, low: number, high: number): number {
  const value = Number(parsed.text(name));
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new UsageError(`--${name}: expected a whole number from ${low} to ${high}, got "${parsed.text(name)}".`);
  }
  return value;
}

runCommand(main);
