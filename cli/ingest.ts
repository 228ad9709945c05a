/** `npm run ingest -- FILE --profile fraud [--map …]`: sends a CSV or NDJSON file into the stream of the running platform. */
import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { BatchGetItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { parseMapping, type RecordSchema, toRecord } from "./ingest/mapping";
import { RecordChecker } from "./ingest/record-checker";
import { formatOf, readRows } from "./ingest/rows";
import { type Outgoing, StreamSender } from "./ingest/send";
import { type CommandLine, parseCommandLine, runCommand, UsageError } from "./options";
import { type Outputs, readOutputs } from "./outputs";
import { Progress, paint, table } from "./terminal";

const command: CommandLine = {
  usage: "npm run ingest -- FILE [options]",
  about: [
    "Sends every row of a CSV or NDJSON file into the stream of the running platform (npm start).",
    "Columns named like a field, or like a well-known alias of it, are mapped automatically; --map adds or overrides mappings.",
    "Rows that the profile's schema rejects are not sent; the summary lists the reasons and lines.",
  ].join("\n"),
  options: {
    profile: { type: "string", value: "NAME", help: "Profile of the rows.", default: "fraud" },
    map: {
      type: "string",
      value: "FIELD=COLUMN",
      help: "Takes FIELD from COLUMN. Repeat it, separate with commas, or pass JSON or a .json file.",
      multiple: true,
    },
    format: { type: "string", value: "csv|ndjson", help: "Format of the file. Default: by its extension." },
    limit: { type: "string", value: "N", help: "Stops after N rows." },
    "no-wait": { type: "boolean", help: "Doesn't wait until the rows are scored." },
    json: { type: "boolean", help: "Prints the summary as JSON." },
  },
  examples: [
    "npm run ingest -- card-transactions.csv --profile fraud",
    "npm run ingest -- tx.csv --map transaction_id=trans_num --map user_id=cc_num,amount=amt",
    "npm run ingest -- tx.ndjson --map fields.json --json",
  ],
};

interface Row extends Outgoing {
  readonly line: number;
  readonly id: string;
}

interface Summary {
  rows: number;
  accepted: number;
  rejected: number;
  /** Rows with the id of an earlier row of the file. */
  repeatedIds: number;
  scored: number | null;
  quarantined: number | null;
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

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const [file, ...extra] = options.positionals;
  if (file === undefined) throw new UsageError("Name the file to send: npm run ingest -- FILE (see --help).");
  if (extra.length > 0) throw new UsageError(`Expected one file, got also: ${extra.join(", ")}.`);
  const limit = limitOption(options.text("limit"));
  const format = formatOf(file, options.text("format"));
  const checker = new RecordChecker(options.text("profile") ?? "fraud");
  const outputs = readOutputs();
  const quiet = options.flag("json");

  const credentials = { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey };
  const connection = { endpoint: outputs.awsEndpointUrl, region: outputs.region, credentials };
  const kinesis = new KinesisClient(connection);
  const sender = new StreamSender<Row>(kinesis, outputs.streamName, (milliseconds) => pause(milliseconds));
  const summary: Summary = { rows: 0, accepted: 0, rejected: 0, repeatedIds: 0, scored: null, quarantined: null, reasons: {} };
  const ids = new Set<string>();
  const bar = new Progress("sending", statSync(file).size);

  let convert: ((cells: Readonly<Record<string, unknown>>) => Record<string, unknown>) | undefined;
  for await (const row of readRows(file, format)) {
    summary.rows += 1;
    if (row.kind === "unreadable") {
      reject(summary, row.line, row.reason);
    } else {
      convert ??= mapper(checker.schema, options.list("map"), Object.keys(row.cells), quiet);
      const checked = checker.check(convert(row.cells));
      if (checked.kind === "rejected") {
        reject(summary, row.line, checked.reason);
      } else {
        if (ids.has(checked.id)) summary.repeatedIds += 1;
        ids.add(checked.id);
        await sender.add({ line: row.line, id: checked.id, partitionKey: checked.partitionKey, data: checked.data });
      }
    }
    bar.update(row.bytesRead, `bytes, ${sender.sent} records`);
    if (summary.rows >= limit) break;
  }
  await sender.flush();
  bar.end();
  for (const { item, reason } of sender.refused) {
    reject(summary, item.line, `the stream refused it: ${reason}`);
    ids.delete(item.id);
  }
  summary.accepted = sender.sent;
  if (!options.flag("no-wait")) {
    summary.scored = await waitForScores(new DynamoDBClient(connection), outputs, ids);
    summary.quarantined = ids.size - summary.scored;
  }
  process.stdout.write(quiet ? `${JSON.stringify(summary, null, 2)}\n` : report(summary, outputs));
  return summary.accepted > 0 || summary.rows === 0 ? 0 : 1;
}

function mapper(schema: RecordSchema, map: readonly string[], columns: readonly string[], quiet: boolean) {
  const mapping = parseMapping(map, columns, schema);
  if (!quiet) {
    const shown = [...mapping].map(([field, column]) => (field === column ? field : `${field} ← ${column}`)).join(", ");
    process.stdout.write(`Mapping: ${shown}\n`);
  }
  return (cells: Readonly<Record<string, unknown>>) => toRecord(cells, mapping, schema);
}

/** Polls the results table for the ids, until all are there or nothing new has come for ten seconds. */
async function waitForScores(dynamodb: DynamoDBClient, outputs: Outputs, ids: ReadonlySet<string>): Promise<number> {
  const waiting = new Set(ids);
  const bar = new Progress("scoring", ids.size);
  let lastProgressAt = Date.now();
  while (waiting.size > 0 && Date.now() - lastProgressAt < 10_000) {
    let found = 0;
    const list = [...waiting];
    for (let i = 0; i < list.length; i += 100) {
      const present = await presentIds(dynamodb, outputs.resultsTable, list.slice(i, i + 100));
      for (const id of present) waiting.delete(id);
      found += present.length;
    }
    if (found > 0) lastProgressAt = Date.now();
    bar.update(ids.size - waiting.size);
    if (waiting.size > 0) await pause(250);
  }
  bar.end();
  return ids.size - waiting.size;
}

async function presentIds(dynamodb: DynamoDBClient, table: string, ids: readonly string[]): Promise<string[]> {
  const request = { Keys: ids.map((id) => ({ transaction_id: { S: id } })), ProjectionExpression: "transaction_id" };
  const answer = await dynamodb.send(new BatchGetItemCommand({ RequestItems: { [table]: request } }));
  return (answer.Responses?.[table] ?? []).flatMap((item) =>
    item.transaction_id?.S === undefined ? [] : [item.transaction_id.S],
  );
}

function report(summary: Summary, outputs: Outputs): string {
  const rows: [string, number][] = [
    ["rows read", summary.rows],
    ["accepted by the stream", summary.accepted],
    ["rejected here", summary.rejected],
    ["ids that repeat", summary.repeatedIds],
  ];
  if (summary.scored !== null) rows.push(["scored", summary.scored], ["not scored: see quarantine", summary.quarantined ?? 0]);
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
    "",
    `Scores:     table ${outputs.resultsTable}`,
    `Quarantine: s3://${outputs.dataBucket}/quarantine/`,
    `Warehouse:  ${paint("cyan", `psql "${outputs.warehouseUrl}" -c "select band, count(*) from risk_events group by band"`)}`,
    "            (the loader adds new scores within a minute)",
    "",
  ].join("\n");
}

runCommand(main);
