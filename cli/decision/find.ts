/** Finds the archive line of an event: through the results table, the warehouse, or the time in its id. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createDataApi } from "../../functions/loader/data-api";
import { createSqlClient, literal, StatementFailed } from "../../functions/loader/sql-client";
import type { ArchiveRecord } from "../../functions/scoring/core/archive-record";
import { PROFILES } from "../../functions/scoring/profiles";
import { dateOf } from "../../functions/shared/object-keys";
import { archiveObjects, readLines } from "../replay/archive";
import type { ArchiveTarget } from "../replay/target";

export interface FoundLine {
  readonly line: string;
  /** Object of the data bucket. */
  readonly key: string;
}

/** The event's line, undefined when it is in none of the objects that it could be in. */
export async function findLine(target: ArchiveTarget, eventId: string): Promise<FoundLine | undefined> {
  for (const keysOf of [fromResults, fromWarehouse, fromTimeInId]) {
    for (const key of await keysOf(target, eventId)) {
      const line = (await linesOf(target, key)).find((text) => isOf(text, eventId));
      if (line !== undefined) return { line, key };
    }
  }
  return undefined;
}

async function linesOf({ s3, names }: ArchiveTarget, key: string): Promise<readonly string[]> {
  try {
    return await readLines(s3, names.dataBucket, key);
  } catch (error) {
    // Expired, while its row is still in the warehouse.
    if (error instanceof Error && error.name === "NoSuchKey") return [];
    throw error;
  }
}

/** Looks for the text first: parsing every line of an object takes a hundred times as long. */
function isOf(line: string, eventId: string): boolean {
  if (!line.includes(JSON.stringify(eventId))) return false;
  const { event_id }: Pick<ArchiveRecord, "event_id"> = JSON.parse(line);
  return event_id === eventId;
}

/** Results of the stream name their object. */
async function fromResults({ dynamodb, names }: ArchiveTarget, eventId: string): Promise<readonly string[]> {
  const answer = await dynamodb.send(
    new GetItemCommand({
      TableName: names.resultsTable,
      Key: { transaction_id: { S: eventId } },
      ProjectionExpression: "archive_key",
    }),
  );
  const key = answer.Item?.archive_key?.S;
  return key === undefined ? [] : [key];
}

const QUERY_MS = 60_000;
const CLOCK = { now: () => Date.now(), sleep: (milliseconds: number) => pause(milliseconds) };

/** The ledger knows which objects came with the load that brought the row. */
async function fromWarehouse({ redshiftData, names }: ArchiveTarget, eventId: string): Promise<readonly string[]> {
  if (names.warehouse === undefined) return [];
  const sql = createSqlClient(createDataApi(redshiftData, { ...names.warehouse, secretArn: undefined }), CLOCK);
  const statement =
    "SELECT l.object_key FROM risk.risk_events AS e JOIN risk.load_ledger AS l ON l.load_id = e.load_id " +
    `WHERE e.event_id = ${literal(eventId)} AND l.object_key LIKE 'archive/%' ORDER BY l.object_key`;
  try {
    const rows = await sql.query(statement, { name: "find-event", token: randomUUID(), deadline: Date.now() + QUERY_MS });
    return rows.map(({ object_key }) => object_key ?? "");
  } catch (error) {
    // Whoever may read the archive need not be known to the warehouse.
    if (error instanceof StatementFailed) return [];
    throw error;
  }
}

/** A REST score's id: its input, its time in milliseconds, its request. */
const SCORE_ID = /^[0-9a-f]{32}-(\d{13})-/;

async function fromTimeInId({ s3, names }: ArchiveTarget, eventId: string): Promise<readonly string[]> {
  const time = SCORE_ID.exec(eventId)?.[1];
  if (time === undefined) return [];
  const day = dateOf(Number(time));
  const listed = await Promise.all(
    Object.keys(PROFILES).map((profile) => archiveObjects(s3, names.dataBucket, profile, { from: day, to: day })),
  );
  return listed.flat().map(({ key }) => key);
}
