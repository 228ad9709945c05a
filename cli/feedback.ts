/** `npm run feedback -- FILE`: sends the labels of a CSV or NDJSON file to the running platform. */
import { setTimeout as pause } from "node:timers/promises";
import { openFile } from "./ingest/file";
import { FILE_OPTIONS, fileOptions } from "./ingest/file-options";
import { type LabelFile, readLabelFile } from "./ingest/labels";
import { type Sent, sendLabels } from "./ingest/send-labels";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { type Outputs, readOutputs } from "./outputs";
import { Progress, paint, table } from "./terminal";

const command: CommandLine = {
  usage: "npm run feedback -- FILE [options]",
  about: [
    "Sends labels of scored events to the running platform (npm start): chargebacks, investigations, customers who left.",
    "Columns: event_id, label (true, false, 1, 0), and optionally labelled_at (ISO 8601) and source.",
    "A label without labelled_at is dated when it arrives. Sending a file again changes nothing.",
    "Nothing is sent unless every line is valid.",
  ].join("\n"),
  options: {
    source: {
      type: "string",
      value: "NAME",
      help: "Source of lines that name none, for example chargeback, investigation or crm.",
    },
    ...FILE_OPTIONS,
    "skip-bad": { type: "boolean", help: "Sends the valid lines even if there are invalid ones." },
    json: { type: "boolean", help: "Prints the summary as JSON." },
  },
  examples: ["npm run feedback -- chargebacks.csv --source chargeback", "npm run feedback -- labels.ndjson --skip-bad --json"],
};

/** How many lines of a problem, and how many problems, are shown. */
const SHOWN = 5;
const SHOWN_PROBLEMS = 20;
const NOTHING_SENT: Sent = { requests: 0, labels: 0, known: 0 };

interface Problem {
  readonly reason: string;
  readonly count: number;
  /** The first ones. */
  readonly lines: readonly number[];
}

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const [path, ...extra] = options.positionals;
  if (path === undefined) throw new UsageError("Name the file to send: npm run feedback -- FILE (see --help).");
  if (extra.length > 0) throw new UsageError(`Expected one file, got also: ${extra.join(", ")}.`);
  const outputs = readOutputs();
  const { rows } = await openFile(path, fileOptions(options));
  const file = await readLabelFile(rows, options.text("source"), Date.now());
  const isSent = file.bad.length === 0 || options.flag("skip-bad");
  const sent = isSent ? await send(file, outputs) : NOTHING_SENT;
  const summary = {
    lines: file.lines,
    sent: sent.labels,
    known: sent.known,
    repeated: file.repeated,
    bad: file.bad.length,
    problems: problemsOf(file),
  };
  process.stdout.write(options.flag("json") ? `${JSON.stringify(summary, null, 2)}\n` : report(summary, isSent, outputs));
  return isSent ? 0 : 1;
}

async function send({ labels }: LabelFile, outputs: Outputs): Promise<Sent> {
  const bar = new Progress("sending", labels.length);
  const api = { url: outputs.apiUrl, apiKey: outputs.apiKey, fetch, pause: (milliseconds: number) => pause(milliseconds) };
  const sent = await sendLabels(labels, api, (done) => bar.update(done, "labels"));
  bar.end();
  return sent;
}

function problemsOf({ bad }: LabelFile): Problem[] {
  const lines = new Map<string, number[]>();
  for (const { line, reason } of bad) {
    const list = lines.get(reason);
    if (list === undefined) lines.set(reason, [line]);
    else list.push(line);
  }
  return [...lines]
    .map(([reason, list]) => ({ reason, count: list.length, lines: list.slice(0, SHOWN) }))
    .sort((a, b) => b.count - a.count)
    .slice(0, SHOWN_PROBLEMS);
}

function report(
  summary: { readonly [count in "lines" | "sent" | "known" | "repeated" | "bad"]: number } & {
    readonly problems: readonly Problem[];
  },
  isSent: boolean,
  outputs: Outputs,
): string {
  const rows: [string, number][] = [
    ["lines read", summary.lines],
    ["labels sent", summary.sent],
    ["of these already known", summary.known],
    ["lines that repeat", summary.repeated],
    ["invalid lines", summary.bad],
  ];
  const problems = summary.problems.map(({ reason, count, lines }) => [reason, count, lines.join(", ")]);
  const query = "select source, label, count(*) from current_labels group by 1, 2";
  return [
    "",
    table(["summary", "count"], rows),
    ...(problems.length === 0 ? [] : ["", table(["what is wrong", "count", "first lines"], problems)]),
    "",
    ...(isSent
      ? [
          `Warehouse:  ${paint("cyan", `psql "${outputs.warehouseUrl}" -c "${query}"`)}`,
          "            (the loader adds new labels within a minute)",
        ]
      : ["Nothing was sent. Correct the lines, or use --skip-bad to send the others."]),
    "",
  ].join("\n");
}

runCommand(main);
