import { BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Item } from "./attribute-values";
import { pause } from "./backoff";
import { mapBounded } from "./concurrency";
import { type Patience, persist } from "./patience";

/** DynamoDB's limit of one BatchGetItem. */
const KEYS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;

/** Keys that DynamoDB kept leaving unprocessed: the table is throttled for longer than the caller could wait. */
export class UnprocessedKeysError extends Error {
  readonly code = "unprocessed_keys";

  constructor(table: string, count: number, attempts: number) {
    super(
      `Table ${table} left ${count} keys unread after ${attempts} attempts; raise its read capacity or lower the batch size.`,
    );
    this.name = "UnprocessedKeysError";
  }
}

/**
 * Reads items by distinct keys, strongly consistent. Items that do not exist are left out; the order is not kept.
 * Throws the SDK's error, or {@link UnprocessedKeysError}, once `patience` has run out.
 */
export async function batchGet(
  client: DynamoDBClient,
  table: string,
  keys: readonly Item[],
  patience: Patience,
): Promise<Item[]> {
  const chunks: Item[][] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_CALL) chunks.push(keys.slice(start, start + KEYS_PER_CALL));
  const outcomes = await mapBounded(chunks, CALLS_AT_ONCE, (chunk) => readChunk(client, table, chunk, patience));
  return outcomes.flatMap((outcome) => {
    if (outcome.kind === "done") return outcome.value;
    throw outcome.kind === "failed" ? outcome.error : new UnprocessedKeysError(table, keys.length, 0);
  });
}

async function readChunk(client: DynamoDBClient, table: string, keys: Item[], patience: Patience): Promise<Item[]> {
  const found: Item[] = [];
  let left = keys;
  for (let attempt = 1; ; attempt++) {
    const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } });
    const answer = await persist(() => client.send(command), patience);
    found.push(...(answer.Responses?.[table] ?? []));
    left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    if (left.length === 0) return found;
    patience.onThrottle?.();
    if (!patience.mayWait()) throw new UnprocessedKeysError(table, left.length, attempt);
    await pause(patience.backoff, attempt);
  }
}
