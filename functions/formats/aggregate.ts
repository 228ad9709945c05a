/**
 * Aggregates of the Kinesis Producer Library: many user records in one Kinesis record
 * (https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md): a magic number, a protobuf message
 * `AggregatedRecord`, and the MD5 of the message.
 *
 *     AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
 *     Record { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2; required bytes data = 3; repeated Tag tags = 4; }
 *
 * The library never compresses an aggregate, so one inside of a compressed record isn't looked for; a user record may be compressed.
 * Hash keys are not compared with the shard's range: the Kinesis Client Library does it to leave out records that a split has given to
 * another shard, but the producer sends those only once, and here no record may be lost.
 */
import { createHash } from "node:crypto";
import { ProtobufFault, protobufFields } from "./protobuf";

export interface UserRecord {
  readonly partitionKey: string;
  /** A view of the aggregate. */
  readonly bytes: Uint8Array;
}

export type Aggregate =
  | { readonly kind: "plain" }
  /** `records[i]` has the sub-sequence number i, at every delivery: it is its place in the bytes. */
  | { readonly kind: "aggregate"; readonly records: readonly UserRecord[] }
  | { readonly kind: "refused"; readonly reason: "aggregated_corrupt" | "too_large"; readonly detail: string };

/** A Kinesis record of 1 MiB with the smallest transactions has about as many; without a limit, empty records would make a million. */
export const MAX_USER_RECORDS = 10_000;

const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2);
const DIGEST_BYTES = 16;

export const isAggregate = (bytes: Uint8Array): boolean => MAGIC.every((byte, index) => bytes[index] === byte);

/** Splits the bytes of one Kinesis record; never throws. */
export function splitAggregate(bytes: Uint8Array): Aggregate {
  if (!isAggregate(bytes)) return { kind: "plain" };
  if (bytes.length < MAGIC.length + DIGEST_BYTES) return corrupt("it ends too early");
  const message = bytes.subarray(MAGIC.length, -DIGEST_BYTES);
  const digest = createHash("md5").update(message).digest();
  // The library's own readers take such bytes for an ordinary record. No event begins like this, so here they are refused by name.
  if (!digest.equals(bytes.subarray(-DIGEST_BYTES))) return corrupt("its checksum doesn't match");
  try {
    return userRecords(message);
  } catch (error) {
    if (!(error instanceof ProtobufFault)) throw error;
    return corrupt("its message can't be read");
  }
}

const corrupt = (what: string): Aggregate => ({
  kind: "refused",
  reason: "aggregated_corrupt",
  detail: `Expected an aggregate of the Kinesis Producer Library, got one that is damaged: ${what}.`,
});

function userRecords(message: Uint8Array): Aggregate {
  const keys: string[] = [];
  const found: Uint8Array[] = [];
  for (const { number, bytes } of protobufFields(message)) {
    if (number === 1 && bytes !== null) keys.push(Buffer.from(bytes).toString("utf8"));
    if (number === 3 && bytes !== null) found.push(bytes);
    if (found.length > MAX_USER_RECORDS || keys.length > MAX_USER_RECORDS) {
      const detail = `Expected an aggregate of at most ${MAX_USER_RECORDS} records, got more.`;
      return { kind: "refused", reason: "too_large", detail };
    }
  }
  const records: UserRecord[] = [];
  for (const record of found) {
    const read = userRecord(record, keys);
    if (read === null) return corrupt("a record in it lacks its key or its data");
    records.push(read);
  }
  return { kind: "aggregate", records };
}

function userRecord(record: Uint8Array, keys: readonly string[]): UserRecord | null {
  let key: string | undefined;
  let data: Uint8Array | null = null;
  for (const { number, value, bytes } of protobufFields(record)) {
    if (number === 1 && bytes === null) key = keys[value];
    if (number === 3) data = bytes;
  }
  return key === undefined || data === null ? null : { partitionKey: key, bytes: data };
}
