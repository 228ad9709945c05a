/** DynamoDB behind the stream processor's ports. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { n, readText, s } from "../shared/attribute-values";
import { batchGet } from "../shared/batch-get";
import type { Clock } from "../shared/clock";
import type { ResultStore, StateStore } from "./ports";
import { readResult, resultItem } from "./result-item";
import { paddedSequence, plainSequence } from "./sequence";

export interface TableArgs {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** Items are removed by the table's TTL after this long. */
  readonly ttlSeconds: number;
}

const expiresAt = ({ clock, ttlSeconds }: TableArgs): number => Math.floor(clock.now() / 1000) + ttlSeconds;

export function createResultStore(args: TableArgs): ResultStore {
  const { client, table } = args;
  return {
    async read(eventIds, patience) {
      const keys = eventIds.map((id) => ({ transaction_id: s(id) }));
      const items = await batchGet(client, table, keys, patience);
      return new Map(items.map((item) => [readText(item, "transaction_id"), readResult(item)]));
    },
    async create(result) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: resultItem(result, expiresAt(args)),
            ConditionExpression: "attribute_not_exists(transaction_id)",
            // The item that is there comes with the refusal and costs no read ("PutItem", API reference).
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
        return "created";
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException && error.Item !== undefined) return readResult(error.Item);
        throw error;
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
          }),
        );
      } catch (error) {
        // Our own earlier try, or another delivery that moved it: the object it moved to decides at the next read.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}

export function createStateStore(args: TableArgs): StateStore {
  const { client, table } = args;
  return {
    async read(userTokens, patience) {
      const keys = userTokens.map((user) => ({ user_id: s(user) }));
      const items = await batchGet(client, table, keys, patience);
      return new Map(
        items.map((item) => {
          const state: unknown = JSON.parse(readText(item, "state"));
          return [readText(item, "user_id"), { state, lastSequence: plainSequence(readText(item, "last_sequence")) }];
        }),
      );
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
