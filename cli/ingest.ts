/** `npm run ingest -- FILE --profile fraud [--map …]`: sends a CSV or NDJSON file into the stream of the running platform. */
import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { BatchGetItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { S3Client } from "@aws-sdk/client-s3";
import { ArchiveReader } from "./demo/tally";
import { parseMapping, type RecordSchema, toRecord } from "./ingest/mapping";
import { exitStatus, type Outcomes, outcomeRows, type Sent, waitForOutcomes } from "./ingest/outcomes";
import { RecordChecker } from "./ingest/record-checker";
import { type Format, formatOf, readRows } from "./ingest/rows";
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
    "Waits until every row is scored or in quarantine, or nothing new has come for ten seconds. Exits with 1 when nothing was scored,",
    "an empty file included; with --no-wait, when the stream took nothing.",
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
  const startedAt = new Date();
  const sent: Sent[] = [];
  const taken = ({ id }: Row, position: string) => void sent.push({ id, position });
  const sender = new StreamSender<Row>(kinesis, outputs.streamName, (milliseconds) => pause(milliseconds), taken);
  const summary: Summary = { rows: 0, accepted: 0, rejected: 0, repeatedIds: 0, outcomes: null, reasons: {} };
  const ids = new Set<string>();
  const { size } = statSync(file);
  const bar = new Progress("sending", size);
  let bytesRead = 0;

  let convert: ((cells: Readonly<Record<string, unknown>>) => Record<string, unknown>) | undefined;
  for await (const row of readRows(file, format)) {
    summary.rows += 1;
    if (row.kind === "unreadable") {
      reject(summary, row.line, row.reason);
    } else {
      convert ??= mapper(checker.schema, options.list("map"), Object.keys(row.cells), format, quiet);
      const checked = checker.check(convert(row.cells));
      if (checked.kind === "rejected") {
        reject(summary, row.line, checked.reason);
      } else {
        if (ids.has(checked.id)) summary.repeatedIds += 1;
        ids.add(checked.id);
        await sender.add({ line: row.line, id: checked.id, partitionKey: checked.partitionKey, data: checked.data });
      }
    }
    bytesRead = row.bytesRead;
    // A small file is read whole before its first record is sent.
    if (bytesRead < size) bar.update(bytesRead, `bytes, ${sender.sent} records`);
    if (summary.rows >= limit) break;
  }
  await sender.flush();
  bar.update(bytesRead, `bytes, ${sender.sent} records`);
  bar.end();
  for (const { item, reason } of sender.refused) reject(summary, item.line, `the stream refused it: ${reason}`);
  summary.accepted = sender.sent;
  if (!options.flag("no-wait")) {
    const prefix = `quarantine/${options.text("profile") ?? "fraud"}/`;
    const after = `${prefix}dt=${startedAt.toISOString().slice(0, 10)}`;
    const quarantine = new ArchiveReader(
      { s3: new S3Client({ ...connection, forcePathStyle: true }) },
      outputs.dataBucket,
      prefix,
      after,
    );
    summary.outcomes = await outcomesOf(
      sent,
      startedAt.getTime(),
      new DynamoDBClient(connection),
      outputs.resultsTable,
      quarantine,
    );
  }
  process.stdout.write(quiet ? `${JSON.stringify(summary, null, 2)}\n` : report(summary, outputs));
  return exitStatus(summary);
}

function mapper(schema: RecordSchema, map: readonly string[], columns: readonly string[], format: Format, quiet: boolean) {
  const mapping = parseMapping(map, columns, schema);
  if (!quiet) {
    const shown = [...mapping].map(([field, column]) => (field === column ? field : `${field} ← ${column}`)).join(", ");
    process.stdout.write(`Mapping: ${shown}\n`);
  }
  return (cells: Readonly<Record<string, unknown>>) => toRecord(cells, mapping, schema, format);
}

/** Nothing new for this long: the rest is left to the platform. */
const PATIENCE_MS = 10_000;
/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const MAX_KEYS = 100;

async function outcomesOf(
  sent: readonly Sent[],
  startedAtMs: number,
  dynamodb: DynamoDBClient,
  resultsTable: string,
  quarantine: ArchiveReader,
): Promise<Outcomes> {
  const bar = new Progress("scoring", new Set(sent.map(({ id }) => id)).size);
  const outcomes = await waitForOutcomes(
    sent,
    startedAtMs,
    {
      scored: async (ids) => {
        const times: (readonly [string, number])[] = [];
        for (let i = 0; i < ids.length; i += MAX_KEYS)
          times.push(...(await scoreTimes(dynamodb, resultsTable, ids.slice(i, i + MAX_KEYS))));
        return new Map(times);
      },
      quarantined: async () => {
        const { lines } = await quarantine.refresh();
        return new Map(lines.map(({ source_position, reason }) => [String(source_position), String(reason)]));
      },
      now: () => Date.now(),
      pause: (milliseconds) => pause(milliseconds),
      progress: (settled) => bar.update(settled),
    },
    PATIENCE_MS,
  );
  bar.end();
  return outcomes;
}

async function scoreTimes(
  dynamodb: DynamoDBClient,
  table: string,
  ids: readonly string[],
): Promise<readonly (readonly [string, number])[]> {
  const keys = ids.map((id) => ({ transaction_id: { S: id } }));
  const request = { Keys: keys, ProjectionExpression: "transaction_id, scored_at" };
  const answer = await dynamodb.send(new BatchGetItemCommand({ RequestItems: { [table]: request } }));
  return (answer.Responses?.[table] ?? []).map(({ transaction_id, scored_at }) => [
    transaction_id?.S ?? "",
    Date.parse(scored_at?.S ?? ""),
  ]);
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
    "",
    `Scores:     table ${outputs.resultsTable}`,
    `Quarantine: s3://${outputs.dataBucket}/quarantine/`,
    `Warehouse:  ${paint("cyan", `psql "${outputs.warehouseUrl}" -c "select band, count(*) from risk_events group by band"`)}`,
    "            (the loader adds new scores within a minute)",
    "",
  ].join("\n");
}

runCommand(main);
