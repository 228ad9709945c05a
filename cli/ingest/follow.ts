/** Follows the records of a file through the running platform: which are scored, and which are in quarantine. */
import { setTimeout as pause } from "node:timers/promises";
import { BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { ArchiveReader } from "../demo/tally";
import { Progress } from "../terminal";
import { type Outcomes, type Sent, waitForOutcomes } from "./outcomes";

/** Nothing new for this long: the rest is left to the platform. */
const PATIENCE_MS = 10_000;
/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const MAX_KEYS = 100;

export async function outcomesOf(
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
