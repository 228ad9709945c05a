import { numberOf, optionalNumber, optionalText, type Row, textOf } from "../messaging/database";

export interface StreamRow {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  readonly retentionHours: number;
  readonly mode: "PROVISIONED" | "ON_DEMAND";
  readonly keyId?: string | undefined;
  readonly maxRecordKib: number;
}

export interface ShardRow {
  readonly id: string;
  readonly index: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly firstSequence: string;
  readonly lastSequence: string;
  readonly parent: string | undefined;
  readonly adjacentParent: string | undefined;
  readonly closedMs: number | undefined;
}

export interface NewRecord {
  readonly partitionKey: string;
  readonly shard: ShardRow;
  readonly data: Buffer;
}

export interface StoredRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  readonly arrivalMs: number;
}

export function shardOf(row: Row): ShardRow {
  return {
    id: textOf(row, "id"),
    index: numberOf(row, "idx"),
    start: BigInt(textOf(row, "start_hash")),
    end: BigInt(textOf(row, "end_hash")),
    firstSequence: textOf(row, "first_seq"),
    lastSequence: textOf(row, "last_seq"),
    parent: optionalText(row, "parent"),
    adjacentParent: optionalText(row, "adjacent"),
    closedMs: optionalNumber(row, "closed"),
  };
}

export function encryption(stream: StreamRow): "KMS" | "NONE" {
  return stream.keyId === undefined ? "NONE" : "KMS";
}
