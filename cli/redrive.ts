/** `npm run redrive`: brings back what was given up. */
import { randomUUID } from "node:crypto";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { REAL_TIME } from "./redrive/clock";
import { redriveReport } from "./redrive/report";
import { isClean, isComplete, redrive } from "./redrive/run";
import { SOURCES, selectionOf } from "./redrive/selection";
import { redriveTarget } from "./redrive/target";

const command: CommandLine = {
  usage: "npm run redrive -- [options]",
  about: [
    "Sends back what was given up, the way it came: quarantined records and failed batches into the stream, messages of dead-letter queues",
    "to whatever did not take them. Correct the cause first. Sending an event twice changes nothing, and what has been sent back is not",
    "sent back again. Works on the platform that runs on this machine (npm start), or on a stack with --aws, in both with the redrive role.",
    "Exit status 1: something is in quarantine again, could not be sent back, or is still under way; or a source could not be read to its end.",
  ].join("\n"),
  options: {
    from: { type: "string", value: SOURCES.join("|"), multiple: true, help: "Only this source; may be repeated. Default: all." },
    reason: {
      type: "string",
      value: "CODE",
      multiple: true,
      help: "Only what was given up for this reason; may be repeated. Default: every reason but duplicate_conflict, which would only occur again.",
    },
    since: { type: "string", value: "TIME", help: "Only what arrived then or later (ISO 8601; UTC unless it has an offset)." },
    "dry-run": { type: "boolean", help: "Counts what would be sent back, and sends nothing." },
    wait: {
      type: "string",
      value: "SECONDS",
      default: "120",
      help: "How long to wait for what becomes of records and messages.",
    },
    aws: {
      type: "boolean",
      help: "A stack on AWS, with the credentials of the environment, which must be allowed to assume the role.",
    },
    outputs: { type: "string", value: "FILE", help: "--aws: file with the output of pulumi stack output --json." },
    json: { type: "boolean", help: "Prints the summary as JSON." },
  },
  examples: [
    "npm run redrive -- --dry-run",
    "npm run redrive -- --from quarantine --reason timestamp_out_of_range --since 2026-11-21T00:00:00Z",
    "npm run redrive -- --from dlq --aws --outputs outputs.json",
  ],
};

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  if (options.positionals.length > 0) throw new UsageError(`Expected options only, got: ${options.positionals.join(", ")}.`);
  const selection = selectionOf(options.list("from"), options.list("reason"), options.text("since"));
  const waitSeconds = Number(options.text("wait"));
  if (!(waitSeconds >= 0)) throw new UsageError(`--wait: expected a number of seconds, got "${options.text("wait")}".`);
  const target = await redriveTarget({ aws: options.flag("aws"), outputsFile: options.text("outputs") });
  try {
    const summary = await redrive(target, {
      clock: REAL_TIME,
      selection,
      dryRun: options.flag("dry-run"),
      waitMs: waitSeconds * 1000,
      runId: `${new Date().toISOString()}-${randomUUID()}`,
      progress: showProgress,
    });
    process.stdout.write(options.flag("json") ? `${JSON.stringify(summary, null, 2)}\n` : redriveReport(summary));
    return (summary.dryRun ? isComplete(summary) : isClean(summary)) ? 0 : 1;
  } finally {
    target.close();
  }
}

const PROGRESS = { records: "records sent back", outcomes: "outcomes known", messages: "messages looked at" } as const;

/** On stderr, so that --json can be piped. */
function showProgress(what: keyof typeof PROGRESS, done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${PROGRESS[what]}: ${done}${what === "outcomes" ? "" : " …"}\r`);
}

runCommand(main);
