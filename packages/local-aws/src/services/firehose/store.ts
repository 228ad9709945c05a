import type { DatabaseSync } from "node:sqlite";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import { numberOf, type Row, textOf, transaction } from "../messaging/database";
import type { Keyed, OutputType } from "./prefix";

export interface Processor {
  readonly functionArn: string;
  readonly retries: number;
  readonly bufferBytes: number;
  readonly bufferMs: number;
}

export interface DeliveryStream extends Keyed {
  /** Assumed for the bucket and the function. */
  readonly roleArn: string;
  readonly bucket: string;
  readonly keyArn: string | undefined;
  readonly gzip: boolean;
  readonly bufferBytes: number;
  readonly bufferMs: number;
  readonly processor: Processor | undefined;
  /** Whether records are encrypted while Firehose has them. */
  readonly encrypted: boolean;
  readonly log: { readonly group: string; readonly stream: string } | undefined;
}

/** An accepted record that has not been transformed. */
export interface PendingRecord {
  readonly sequence: number;
  readonly recordId: string;
  readonly data: Buffer;
  readonly arrivedMs: number;
}

/** Bytes that wait for an object of their kind. */
export interface Output {
  readonly type: OutputType;
  readonly data: Buffer;
  readonly arrivedMs: number;
}

/** How much waits, and since when. */
export interface Buffered {
  readonly bytes: number;
  readonly sinceMs: number;
}

const schema = `
CREATE TABLE IF NOT EXISTS firehose_records (sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, record_id TEXT NOT NULL, data BLOB NOT NULL,
  arrived INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS firehose_records_by_stream ON firehose_records (stream, sequence);
CREATE TABLE IF NOT EXISTS firehose_outputs (sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL,
  arrived INTEGER NOT NULL, since INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS firehose_outputs_by_stream ON firehose_outputs (stream, type, sequence);`;

/** Delivery streams and what they hold, in SQLite: what was accepted survives a restart. All calls are synchronous. */
export class FirehoseStore {
  private readonly streamsByName: Documents<DeliveryStream>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(schema);
    this.streamsByName = new Documents(db, "firehose_stream_documents");
  }

  stream(name: string): DeliveryStream {
    const found = this.findStream(name);
    if (found === undefined)
      throw new AwsError("ResourceNotFoundException", `Firehose ${name} not found. Create it or check DeliveryStreamName.`);
    return found;
  }

  findStream(name: string): DeliveryStream | undefined {
    return this.streamsByName.get(name);
  }

  streams(): DeliveryStream[] {
    return this.streamsByName.sorted();
  }

  /** A change raises the version, which is part of the objects' names. */
  save(stream: Omit<DeliveryStream, "version">): void {
    const known = this.findStream(stream.name);
    const version = known?.version ?? 1;
    const next = { ...stream, version };
    const isChanged = known !== undefined && JSON.stringify(known) !== JSON.stringify(next);
    this.streamsByName.put(stream.name, isChanged ? { ...next, version: version + 1 } : next);
  }

  /** With everything that it still holds, as on AWS. */
  delete(name: string): void {
    transaction(this.db, () => {
      this.db.prepare("DELETE FROM firehose_records WHERE stream = ?").run(name);
      this.db.prepare("DELETE FROM firehose_outputs WHERE stream = ?").run(name);
      this.streamsByName.delete(name);
    });
  }

  /** @param recordIdOf makes the id of the record that is the stream's nth */
  append(stream: string, records: readonly Buffer[], recordIdOf: (sequence: number) => string): readonly string[] {
    return transaction(this.db, () => {
      const insert = this.db.prepare("INSERT INTO firehose_records (stream, record_id, data, arrived) VALUES (?, '', ?, ?)");
      const name = this.db.prepare("UPDATE firehose_records SET record_id = ? WHERE sequence = ?");
      return records.map((data) => {
        const sequence = Number(insert.run(stream, data, this.now()).lastInsertRowid);
        const recordId = recordIdOf(sequence);
        name.run(recordId, sequence);
        return recordId;
      });
    });
  }

  pending(stream: string): Buffered | undefined {
    return bufferedOf(
      this.db
        .prepare("SELECT sum(length(data)) AS bytes, min(arrived) AS since FROM firehose_records WHERE stream = ?")
        .get(stream),
    );
  }

  /** The oldest records with together at most that many bytes; at least one. */
  oldest(stream: string, maxBytes: number): readonly PendingRecord[] {
    const taken: PendingRecord[] = [];
    let bytes = 0;
    for (const row of this.db.prepare("SELECT * FROM firehose_records WHERE stream = ? ORDER BY sequence").iterate(stream)) {
      const record = recordOf(row);
      bytes += record.data.length;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(record);
    }
    return taken;
  }

  /** Puts what became of records in their place. */
  replace(stream: string, records: readonly PendingRecord[], outputs: readonly Output[]): void {
    transaction(this.db, () => {
      const remove = this.db.prepare("DELETE FROM firehose_records WHERE sequence = ?");
      for (const { sequence } of records) remove.run(sequence);
      const insert = this.db.prepare("INSERT INTO firehose_outputs (stream, type, data, arrived, since) VALUES (?, ?, ?, ?, ?)");
      for (const { type, data, arrivedMs } of outputs) insert.run(stream, type, data, arrivedMs, this.now());
    });
  }

  buffered(stream: string, type: OutputType): Buffered | undefined {
    return bufferedOf(
      this.db
        .prepare("SELECT sum(length(data)) AS bytes, min(since) AS since FROM firehose_outputs WHERE stream = ? AND type = ?")
        .get(stream, type),
    );
  }

  /** What waits for an object, oldest first, and how to remove it once it is written. */
  outputs(stream: string, type: OutputType): { readonly parts: readonly Output[]; remove(): void } {
    const rows = this.db
      .prepare("SELECT * FROM firehose_outputs WHERE stream = ? AND type = ? ORDER BY sequence")
      .all(stream, type);
    const last = rows.at(-1);
    return {
      parts: rows.map((row) => ({ type, data: blobOf(row), arrivedMs: numberOf(row, "arrived") })),
      remove: () => {
        if (last === undefined) return;
        this.db
          .prepare("DELETE FROM firehose_outputs WHERE stream = ? AND type = ? AND sequence <= ?")
          .run(stream, type, numberOf(last, "sequence"));
      },
    };
  }
}

const blobOf = (row: Row): Buffer => Buffer.from(row.data as Uint8Array);

const recordOf = (row: Row): PendingRecord => ({
  sequence: numberOf(row, "sequence"),
  recordId: textOf(row, "record_id"),
  data: blobOf(row),
  arrivedMs: numberOf(row, "arrived"),
});

/** Undefined when nothing waits. */
const bufferedOf = (row: Row | undefined): Buffered | undefined =>
  row === undefined || row.since === null ? undefined : { bytes: numberOf(row, "bytes"), sinceMs: numberOf(row, "since") };
