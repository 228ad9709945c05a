/** `npm run ingest -- FILE --profile fraud [--map …]`: sends a file into the stream of the running platform. */
import { setTimeout as pause } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { S3Client } from "@aws-sdk/client-s3";
import { ArchiveReader } from "./demo/tally";
import { type OpenFile, openFile } from "./ingest/file";
import { FILE_OPTIONS, fileOptions, MAPPING_OPTIONS, mappingOptions } from "./ingest/file-options";
import { outcomesOf } from "./ingest/follow";
import { Mapper } from "./ingest/mapper";
import { presetList } from "./ingest/mapping-report";
import { exitStatus, type Outcomes, outcomeRows, type Sent } from "./ingest/outcomes";
import { type Checked, RecordChecker } from "./ingest/record-checker";
import { type Outgoing, StreamSender } from "./ingest/send";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { type Outputs, readOutputs, streamOf } from "./outputs";
import { Progress, paint, table } from "./terminal";

const command: CommandLine = {
  usage: "npm run ingest -- FILE [options]",
  about: [
    "Sends every row of a file into the stream of the running platform (npm start): CSV with any delimiter, NDJSON or a JSON array,",
    "plain or gzip, in UTF-8, UTF-16 or Windows-1252. What the file is, and which column becomes which field, is found out and printed:",
    "by a preset (--presets), else by the names of the columns, also in other languages; options override it.",
    "Rows that the profile's schema rejects are not sent; the summary lists the reasons and lines.",
    "Waits until every row is scored or in quarantine, or nothing new has come for ten seconds. Exits with 1 when nothing was scored,",
    "an empty file included; with --no-wait, when the stream took nothing.",
  ].join("\n"),
  options: {
    profile: { type: "string", value: "NAME", help: "Profile of the rows.", default: "fraud" },
    ...MAPPING_OPTIONS,
    ...FILE_OPTIONS,
    limit: { type: "string", value: "N", help: "Stops after N rows." },
    "no-wait": { type: "boolean", help: "Doesn't wait until the rows are scored." },
    json: { type: "boolean", help: "Prints the summary as JSON." },
  },
  examples: [
    "npm run ingest -- card-transactions.csv --profile fraud",
    "npm run ingest -- tx.csv --map transaction_id=trans_num --map user_id=cc_num,amount=amt",
    'npm run ingest -- export.csv --id Date+Account --time "Date as DD.MM.YYYY"',
    'npm run ingest -- steps.csv.gz --id row --time "step hours since 2025-01-01"',
    "npm run ingest -- tx.ndjson --map fields.json --json",
  ],
};

interface Sending extends Outgoing {
  readonly line: number;
  readonly id: string;
}

interface Summary {
  rows: number;
  accepted: number;
  rejected: number;
  /** Rows with the id of an earlier row of the file. */
  repeatedIds: number;
  /** Null without waiting. */
  outcomes: Outcomes | null;
  /** By reason: how many rows, and the first lines. */
  readonly reasons: Record<string, { count: number; lines: number[] }>;
}

function reject(summary: Summary, line: number, reason: string): void {
  summary.rejected += 1;
  summary.reasons[reason] ??= { count: 0, lines: [] };
  const entry = summary.reasons[reason];
  entry.count += 1;
  if (entry.lines.length < 3) entry.lines.push(line);
}

function limitOption(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1)
    throw new UsageError(`--limit: expected a whole number of 1 or more, got "${text}".`);
  return limit;
}

function theFile([path, ...extra]: readonly string[]): string {
  if (path === undefined) throw new UsageError("Name the file to send: npm run ingest -- FILE (see --help).");
  if (extra.length > 0) throw new UsageError(`Expected one file, got also: ${extra.join(", ")}.`);
  return path;
}

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  if (options.flag("presets")) {
    process.stdout.write(presetList());
    return 0;
  }
  const path = theFile(options.positionals);
  const limit = limitOption(options.text("limit"));
  const profile = options.text("profile") ?? "fraud";
  const checker = new RecordChecker(profile);
  const wanted = { file: fileOptions(options), mapping: mappingOptions(options) };
  const outputs = readOutputs();
  const file = await openFile(path, wanted.file);
  const mapper = new Mapper(file, checker.schema, wanted.mapping, options.flag("json") ? null : process.stdout);

  const credentials = { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey };
  const connection = { endpoint: outputs.awsEndpointUrl, region: outputs.region, credentials };
  const startedAt = new Date();
  const sent: Sent[] = [];
  const taken = ({ id }: Outgoing & { readonly id: string }, position: string) => void sent.push({ id, position });
  const kinesis = new KinesisClient(connection);
  const sender = new StreamSender<Sending>(kinesis, streamOf(outputs), (milliseconds) => pause(milliseconds), taken);
  const summary = await sendRows(file, mapper, checker, sender, limit);
  if (!options.flag("no-wait")) {
    const prefix = `quarantine/${profile}/`;
    const after = `${prefix}dt=${startedAt.toISOString().slice(0, 10)}`;
    const s3 = new S3Client({ ...connection, forcePathStyle: true });
    const quarantine = new ArchiveReader({ s3 }, outputs.dataBucket, prefix, after);
    const dynamodb = new DynamoDBClient(connection);
    summary.outcomes = await outcomesOf(sent, startedAt.getTime(), dynamodb, outputs.resultsTable, quarantine);
  }
  const json = () => `${JSON.stringify({ ...summary, file: mapper.report }, null, 2)}\n`;
  process.stdout.write(options.flag("json") ? json() : report(summary, outputs));
  return exitStatus(summary);
}

async function sendRows(
  file: OpenFile,
  mapper: Mapper,
  checker: RecordChecker,
  sender: StreamSender<Sending>,
  limit: number,
): Promise<Summary> {
  const summary: Summary = { rows: 0, accepted: 0, rejected: 0, repeatedIds: 0, outcomes: null, reasons: {} };
  const ids = new Set<string>();
  const bar = new Progress("sending", file.bytes);
  for await (const row of file.rows) {
    summary.rows += 1;
    const checked: Checked = row.kind === "row" ? checker.check(mapper.record(row)) : { kind: "rejected", reason: row.reason };
    if (checked.kind === "rejected") {
      reject(summary, row.line, checked.reason);
    } else {
      if (ids.has(checked.id)) summary.repeatedIds += 1;
      ids.add(checked.id);
      await sender.add({ line: row.line, id: checked.id, partitionKey: checked.partitionKey, data: checked.data });
    }
    // A small file is read whole before its first record is sent.
    if (file.bytesRead() < file.bytes) bar.update(file.bytesRead(), `bytes, ${sender.sent} records`);
    if (summary.rows >= limit) break;
  }
  await sender.flush();
  bar.update(file.bytesRead(), `bytes, ${sender.sent} records`);
  bar.end();
  for (const { item, reason } of sender.refused) reject(summary, item.line, `the stream refused it: ${reason}`);
  summary.accepted = sender.sent;
  return summary;
}

function report(summary: Summary, outputs: Outputs): string {
  const rows: [string, number][] = [
    ["rows read", summary.rows],
    ["accepted by the stream", summary.accepted],
    ["rejected here", summary.rejected],
    ["ids that repeat", summary.repeatedIds],
  ];
  if (summary.outcomes !== null) rows.push(...outcomeRows(summary.outcomes));
  const reasons = Object.entries(summary.reasons).sort(([, a], [, b]) => b.count - a.count);
  return [
    "",
    table(["summary", "count"], rows),
    ...(reasons.length === 0
      ? []
      : [
          "",
          table(
            ["why rejected", "count", "first lines"],
            reasons.map(([why, { count, lines }]) => [why, count, lines.join(", ")]),
          ),
        ]),
    ...(summary.repeatedIds === 0
      ? []
      : ["", "Rows with the id of an earlier row: if they are events of their own, add --id row."]),
    "",
    `Scores:     table ${outputs.resultsTable}`,
    `Quarantine: s3://${outputs.dataBucket}/quarantine/`,
    `Warehouse:  ${paint("cyan", `psql "${outputs.warehouseUrl}" -c "select band, count(*) from risk_events group by band"`)}`,
    "            (the loader adds new scores within a minute)",
    "",
  ].join("\n");
}

runCommand(main);
