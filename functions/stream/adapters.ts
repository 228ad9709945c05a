/** DynamoDB behind the stream processor's ports. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { type Item, n, readText, s } from "../shared/attribute-values";
import { batchGet } from "../shared/batch-get";
import type { Clock } from "../shared/clock";
import type { Patience } from "../shared/patience";
import type { Reads, ResultStore, StateStore, StoredState } from "./ports";
import { ofRecord } from "./record-fault";
import { readResult, resultItem } from "./result-item";
import { paddedSequence, plainSequence } from "./sequence";

export interface TableArgs {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** The table's TTL removes items after this long. */
  readonly ttlSeconds: number;
}

const expiresAt = ({ clock, ttlSeconds }: TableArgs): number => Math.floor(clock.now() / 1000) + ttlSeconds;

async function readItems<T>(
  { client, table }: TableArgs,
  keyName: string,
  ids: readonly string[],
  parse: (item: Item) => T,
  patience: Patience,
): Promise<Reads<T>> {
  const keys = ids.map((id) => ({ [keyName]: s(id) }));
  const { items, unread, error } = await batchGet(client, table, keys, patience);
  const idOf = (item: Item): string => readText(item, keyName);
  const found = ofRecord(() => new Map(items.map((item) => [idOf(item), parse(item)])));
  return { found, unread: new Set(unread.map(idOf)), error };
}

function readState(item: Item): StoredState {
  const state: unknown = JSON.parse(readText(item, "state"));
  return { state, lastSequence: plainSequence(readText(item, "last_sequence")) };
}

export function createResultStore(args: TableArgs): ResultStore {
  const { client, table } = args;
  return {
    async read(eventIds, patience) {
      return readItems(args, "transaction_id", eventIds, readResult, patience);
    },
    async create(result) {
      const item = ofRecord(() => resultItem(result, expiresAt(args)));
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: item,
            ConditionExpression: "attribute_not_exists(transaction_id)",
            // The refusal carries the existing item, which costs no read ("PutItem", API reference).
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return "created";
      } catch (error) {
        const present = error instanceof ConditionalCheckFailedException ? error.Item : undefined;
        if (present === undefined) throw error;
        return ofRecord(() => readResult(present));
      }
    },
    async moveArchive(eventId, from, to) {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: { transaction_id: s(eventId) },
            UpdateExpression: "SET archive_key = :to",
            ConditionExpression: "archive_key = :from",
            ExpressionAttributeValues: { ":from": s(from), ":to": s(to) },
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return true;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // Moved by an earlier attempt of ours whose answer was lost, or by another delivery.
        return error.Item?.archive_key?.S === to;
      }
    },
  };
}

export function createStateStore(args: TableArgs): StateStore {
  const { client, table } = args;
  return {
    async read(userTokens, patience) {
      return readItems(args, "user_id", userTokens, readState, patience);
    },
    async write(userToken, { state, lastSequence }) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: {
              user_id: s(userToken),
              state: s(JSON.stringify(state)),
              last_sequence: s(paddedSequence(lastSequence)),
              ttl: n(expiresAt(args)),
            },
            ConditionExpression: "attribute_not_exists(user_id) OR last_sequence < :sequence",
            ExpressionAttributeValues: { ":sequence": s(paddedSequence(lastSequence)) },
          }),
        );
        return "written";
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return "newer";
        throw error;
      }
    },
  };
}
