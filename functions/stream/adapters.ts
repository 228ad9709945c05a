/** DynamoDB behind the stream processor's ports. */
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { ChallengerScore } from "../core/types";
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
import { batchGet } from "../shared/batch-get";
import type { Clock } from "../shared/clock";
import type { ResultStore, StateStore, StoredResult } from "./ports";
import { paddedSequence, plainSequence } from "./sequence";

export interface TableArgs {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  /** Items are removed by the table's TTL after this long. */
  readonly ttlSeconds: number;
}

const expiry = ({ clock, ttlSeconds }: TableArgs) => n(Math.floor(clock.now() / 1000) + ttlSeconds);

export function createResultStore(args: TableArgs): ResultStore {
  const { client, table } = args;
  return {
    async read(eventIds) {
      const items = await batchGet(
        client,
        table,
        eventIds.map((id) => ({ transaction_id: s(id) })),
      );
      return new Map(items.map((item) => [readText(item, "transaction_id"), readResult(item)]));
    },
    async create(result) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: table,
            Item: { ...writeResult(result), ttl: expiry(args) },
            ConditionExpression: "attribute_not_exists(transaction_id)",
          }),
        );
        return "created";
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return "exists";
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

function writeResult({ decision, challengers = [], ...result }: StoredResult): Item {
  return {
    transaction_id: s(result.eventId),
    ...(result.userToken === null ? {} : { user_id: s(result.userToken) }),
    score: n(decision.score),
    band: s(decision.band),
    reasons: reasonsValue(decision.reasons),
    flags: strings(decision.flags),
    model_version: s(decision.modelVersion),
    policy_version: s(decision.policyVersion),
    ...modelSourceItem(decision),
    ...(challengers.length === 0 ? {} : { challengers: s(JSON.stringify(challengers)) }),
    occurred_at: s(result.occurredAt),
    scored_at: s(result.scoredAt),
    archive_key: s(result.archiveKey),
    input_hash: s(result.inputHash),
    source_position: s(result.sourcePosition),
    features: s(result.features),
  };
}

function readResult(item: Item): StoredResult {
  const challengers = readText(item, "challengers");
  return {
    eventId: readText(item, "transaction_id"),
    sourcePosition: readText(item, "source_position"),
    inputHash: readText(item, "input_hash"),
    archiveKey: readText(item, "archive_key"),
    scoredAt: readText(item, "scored_at"),
    occurredAt: readText(item, "occurred_at"),
    userToken: item["user_id"]?.S ?? null,
    decision: {
      score: readNumber(item, "score"),
      band: readText(item, "band"),
      reasons: readReasons(item, "reasons"),
      flags: readStrings(item, "flags"),
      modelVersion: readText(item, "model_version"),
      policyVersion: readText(item, "policy_version"),
      ...readModelSource(item),
    },
    features: readText(item, "features") || "{}",
    // Written by `writeResult` above and by nobody else.
    ...(challengers === "" ? {} : { challengers: JSON.parse(challengers) as readonly ChallengerScore[] }),
  };
}

export function createStateStore(args: TableArgs): StateStore {
  const { client, table } = args;
  return {
    async read(userTokens) {
      const items = await batchGet(
        client,
        table,
        userTokens.map((user) => ({ user_id: s(user) })),
      );
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
              ttl: expiry(args),
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
