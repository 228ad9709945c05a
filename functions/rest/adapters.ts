/** DynamoDB's scores table behind the ports: scores, and the idempotency keys as items with ids of their own. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import {
  type Item,
  modelSourceItem,
  n,
  readModelSource,
  readNumber,
  readReasons,
  readStrings,
  readText,
  reasonsValue,
  s,
  strings,
} from "../shared/attribute-values";
import type { Clock } from "../shared/clock";
import type { Claim, IdempotencyStore, ScoreStore, StoredAnswer } from "./ports";

/** Hash key of the table (components/shared/tables.ts) for every profile: renaming it would create a new, empty table. */
const HASH_KEY = "leadId";

export function createScoreStore(client: DynamoDBClient, table: string): ScoreStore {
  return {
    async newest(inputId) {
      const answer = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: `${HASH_KEY} = :id`,
          ExpressionAttributeValues: { ":id": s(inputId) },
          ScanIndexForward: false,
          Limit: 1,
        }),
      );
      const item = answer.Items?.[0];
      if (item === undefined) return null;
      const own: unknown = JSON.parse(readText(item, "answer") || "{}");
      return {
        inputId,
        timestamp: readNumber(item, "timestamp"),
        scoreId: readText(item, "score_id"),
        decision: {
          score: readNumber(item, "score"),
          band: readText(item, "band"),
          reasons: readReasons(item, "reasons"),
          flags: readStrings(item, "flags"),
          modelVersion: readText(item, "model_version"),
          policyVersion: readText(item, "policy_version"),
          ...readModelSource(item),
        },
        // Written only by `put` below.
        answer: own as Readonly<Record<string, unknown>>,
        expiresAt: readNumber(item, "ttl"),
      };
    },
    async put({ inputId, timestamp, scoreId, decision, answer, expiresAt }, profile) {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: {
            [HASH_KEY]: s(inputId),
            timestamp: n(timestamp),
            score_id: s(scoreId),
            profile: s(profile),
            score: n(decision.score),
            band: s(decision.band),
            reasons: reasonsValue(decision.reasons),
            flags: strings(decision.flags),
            model_version: s(decision.modelVersion),
            policy_version: s(decision.policyVersion),
            ...modelSourceItem(decision),
            answer: s(JSON.stringify(answer)),
            ttl: n(expiresAt),
          },
        }),
      );
    },
  };
}

export interface IdempotencyArgs {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** How long an answer is replayed. */
  readonly ttlSeconds: number;
  /** Longer than the longest invocation: after it, whoever claimed the key can no longer be running. */
  readonly leaseSeconds: number;
}

export function createIdempotencyStore({ client, table, clock, ttlSeconds, leaseSeconds }: IdempotencyArgs): IdempotencyStore {
  const keyOf = (key: string): Item => ({ [HASH_KEY]: s(`idempotency#${key}`), timestamp: n(0) });
  const seconds = () => Math.floor(clock.now() / 1000);
  const judge = (item: Item, bodyHash: string): Claim => {
    if (readText(item, "body_hash") !== bodyHash) return { kind: "other_body" };
    if (item.answer === undefined) return { kind: "in_flight" };
    // Written only by `answer` below.
    return { kind: "answered", answer: JSON.parse(readText(item, "answer")) as StoredAnswer };
  };
  return {
    async claim(key, bodyHash) {
      const now = seconds();
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: { ...keyOf(key), body_hash: s(bodyHash), lease_until: n(now + leaseSeconds), ttl: n(now + ttlSeconds) },
            // TTL removes items within days, not at once: an expired item counts as deleted.
            ConditionExpression: `attribute_not_exists(${HASH_KEY}) OR #ttl < :now OR (attribute_not_exists(answer) AND lease_until < :now)`,
            ExpressionAttributeNames: { "#ttl": "ttl" },
            ExpressionAttributeValues: { ":now": n(now) },
          }),
        );
        return { kind: "claimed" };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      const { Item: item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(key), ConsistentRead: true }));
      // The key was released between the two calls: the other request is just over, and the caller's retry will find the key free.
      return item === undefined ? { kind: "in_flight" } : judge(item, bodyHash);
    },
    async answer(key, bodyHash, answer) {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: { ...keyOf(key), body_hash: s(bodyHash), answer: s(JSON.stringify(answer)), ttl: n(seconds() + ttlSeconds) },
        }),
      );
    },
    async release(key) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(key) }));
    },
  };
}
