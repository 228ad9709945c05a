import { BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Item } from "./attribute-values";
import { pause } from "./backoff";
import { mapBounded } from "./concurrency";
import { type Patience, persist } from "./patience";
import { isThrottled } from "./sdk-error";

/** DynamoDB's limit of one BatchGetItem. */
const KEYS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;

/** Keys that DynamoDB kept leaving unprocessed: the table was throttled for longer than the caller could wait. */
export class UnprocessedKeysError extends Error {
  readonly code = "unprocessed_keys";

  constructor(table: string, count: number, attempts: number) {
    super(
      `Table ${table} left ${count} keys unread after ${attempts} attempts; raise its read capacity or lower the batch size.`,
    );
    this.name = "UnprocessedKeysError";
  }
}

export interface BatchRead {
  /** Items that don't exist are left out; the order is not kept. */
  readonly items: readonly Item[];
  /** Keys that could not be read, in the order asked for. */
  readonly unread: readonly Item[];
  /** The reason: the SDK's error, or {@link UnprocessedKeysError} once `patience` ran out; undefined when everything was read. */
  readonly error: unknown;
}

/**
 * Reads items by distinct keys, strongly consistent. Keys that the table has no units for are asked for again, fewer at a time, so that
 * scarce units go to the first keys and the unread ones are the last. Never rejects.
 */
export async function batchGet(
  client: DynamoDBClient,
  table: string,
  keys: readonly Item[],
  patience: Patience,
): Promise<BatchRead> {
  const items: Item[] = [];
  let left = keys;
  let width = KEYS_PER_CALL * CALLS_AT_ONCE;
  for (let refused = 0; left.length > 0; ) {
    const asked = left.slice(0, width);
    const round = await readRound(client, table, asked, patience);
    items.push(...round.items);
    left = [...round.unread, ...left.slice(width)];
    if (round.error !== undefined) return { items, unread: left, error: round.error };
    if (round.unread.length === 0) {
      width = Math.min(KEYS_PER_CALL * CALLS_AT_ONCE, width * 2);
      continue;
    }
    width = Math.max(1, Math.floor(asked.length / 2));
    patience.onThrottle?.();
    refused++;
    if (!patience.mayWait()) return { items, unread: left, error: new UnprocessedKeysError(table, left.length, refused) };
    await pause(patience.backoff, refused);
  }
  return { items, unread: [], error: undefined };
}

/** Asks for each key once. */
async function readRound(client: DynamoDBClient, table: string, keys: readonly Item[], patience: Patience): Promise<BatchRead> {
  const chunks: Item[][] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_CALL) chunks.push(keys.slice(start, start + KEYS_PER_CALL));
  const outcomes = await mapBounded(chunks, CALLS_AT_ONCE, (chunk) => readChunk(client, table, chunk, patience));
  const items: Item[] = [];
  const unread: Item[] = [];
  let error: unknown;
  for (const [position, outcome] of outcomes.entries()) {
    if (outcome.kind === "done") {
      items.push(...outcome.value.items);
      unread.push(...outcome.value.unread);
      continue;
    }
    unread.push(...(chunks[position] as Item[]));
    if (outcome.kind === "failed" && !isThrottled(outcome.error)) error ??= outcome.error;
  }
  return { items, unread, error };
}

/** @throws the SDK's error; a throttling error means that no key of the call could be read ("BatchGetItem", API reference) */
async function readChunk(
  client: DynamoDBClient,
  table: string,
  keys: Item[],
  { backoff }: Patience,
): Promise<Omit<BatchRead, "error">> {
  const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } });
  const answer = await persist(() => client.send(command), { backoff, mayWait: () => false });
  const refused = new Set(answer.UnprocessedKeys?.[table]?.Keys?.map(keyText));
  return { items: answer.Responses?.[table] ?? [], unread: keys.filter((key) => refused.has(keyText(key))) };
}

/** Keys of one text attribute, as all tables here have them: equal keys have equal text. */
const keyText = (key: Item): string => JSON.stringify(key);
