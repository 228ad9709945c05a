/**
 * Quarantine, one definition for every source: the raw record goes whole into the raw bucket, which only the redrive role can read; what is
 * loaded into the warehouse says why and where, and holds nothing of the record.
 */
import type { QuarantineRecord } from "../scoring/core/archive-record";
import { sha256 } from "../scoring/core/hash";
import type { EventSource } from "./archive-line";
import { packLines } from "./ndjson";
import { suffixedKey } from "./object-keys";
import type { ObjectStore } from "./object-store";
import { fitBytes, storableText } from "./storable";

/** A record that can't be scored. */
export interface QuarantinedRecord {
  /** Unique: `shardId-…:sequence`, `eventbridge:envelopeId`, `events:…`, or `rest:messageId` of the archiver. */
  readonly position: string;
  readonly source: EventSource;
  readonly profile: string;
  readonly arrivedAtMs: number;
  /** A code. */
  readonly reason: string;
  /** Sentences about fields and expectations that quote nothing of the record. */
  readonly detail: string;
  /** Null unless the schema accepts the event: the id of a malformed one may be personal data. */
  readonly eventId: string | null;
  /** As it arrived. */
  readonly bytes: Uint8Array;
  /** Of a stream's record: a redrive puts it back under the same one. */
  readonly partitionKey: string | null;
}

/** One line of an object in the raw bucket. */
export interface RawLine {
  readonly position: string;
  readonly source: EventSource;
  readonly partition_key: string | null;
  /** ISO 8601. */
  readonly arrived_at: string;
  readonly reason: string;
  /** The record's bytes in base64. */
  readonly data: string;
}

export interface QuarantineStores {
  /** The data bucket. */
  readonly objects: Pick<ObjectStore, "putIfAbsent">;
  /** The raw bucket. */
  readonly raw: Pick<ObjectStore, "putIfAbsent">;
}

/**
 * Writes the raw records, then the lines that point to them: a line in the warehouse implies that its record can be redriven.
 * @param key of the range or batch, under `quarantine/`. What is in it is made part of the name: when another delivery of the range refuses
 * other records, that is another object.
 */
export async function quarantine(
  records: readonly QuarantinedRecord[],
  key: string,
  { objects, raw }: QuarantineStores,
): Promise<void> {
  if (records.length === 0) return;
  const rawLines = records.map((record) => JSON.stringify(rawLine(record)));
  const name = suffixedKey(key, sha256(rawLines.join("\n")).slice(0, 16));
  const lines = records.map((record, index) => storableText(JSON.stringify(quarantineLine(record, name, index + 1))));
  await raw.putIfAbsent(name, packLines(rawLines));
  await objects.putIfAbsent(name, packLines(lines));
}

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

function rawLine({ position, source, partitionKey, arrivedAtMs, reason, bytes }: QuarantinedRecord): RawLine {
  return {
    position,
    source,
    partition_key: partitionKey,
    arrived_at: timeOf(arrivedAtMs),
    reason,
    data: Buffer.from(bytes).toString("base64"),
  };
}

function quarantineLine(record: QuarantinedRecord, rawKey: string, rawLine: number): QuarantineRecord {
  return {
    source_position: record.position,
    source: record.source,
    profile: record.profile,
    arrived_at: timeOf(record.arrivedAtMs),
    reason: record.reason,
    detail: fitBytes(record.detail),
    event_id: record.eventId,
    size_bytes: record.bytes.length,
    raw_key: rawKey,
    raw_line: rawLine,
  };
}
