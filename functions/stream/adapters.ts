/** DynamoDB behind the stream processor's ports. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { b, type Item, n, readNumber, readText, s } from "../shared/attribute-values";
import { batchGet } from "../shared/batch-get";
import type { Clock } from "../shared/clock";
import type { Patience } from "../shared/patience";
import { EventMarks } from "./event-marks";
import type { Reads, ResultStore, StateStore, StoredState } from "./ports";
import { ofRecord } from "./record-fault";
import { readResult, resultItem } from "./result-item";

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

function readState(item: Item, { ttlSeconds }: TableArgs): StoredState {
  const state: unknown = JSON.parse(readText(item, "state"));
  const marks = item.marks?.B;
  if (marks !== undefined) return { state, marks: EventMarks.read(marks), version: readNumber(item, VERSION) };
  // States had a sequence number in place of marks; when they were written is told by their TTL.
  const writtenAt = (readNumber(item, "ttl") - ttlSeconds) * 1000;
  return { state, marks: EventMarks.missingUntil(writtenAt), version: 0 };
}

/** Not one of DynamoDB's reserved words, which can't stand in conditions. */
const VERSION = "state_version";

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
  const read = (item: Item) => readState(item, args);
  return {
    async read(userTokens, patience) {
      return readItems(args, "user_id", userTokens, read, patience);
    },
    async write(userToken, { state, marks, version }) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: {
              user_id: s(userToken),
              state: s(JSON.stringify(state)),
              marks: b(marks.bytes()),
              [VERSION]: n(version),
              ttl: n(expiresAt(args)),
            },
            ...(version === 1
              ? { ConditionExpression: `attribute_not_exists(${VERSION})` }
              : { ConditionExpression: `${VERSION} = :before`, ExpressionAttributeValues: { ":before": n(version - 1) } }),
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return "written";
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        const { Item: present } = error;
        return { present: present === undefined ? undefined : ofRecord(() => read(present)) };
      }
    },
  };
}
