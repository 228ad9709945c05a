/** Multipart uploads: parts are kept as files until they are put together. */
import { createHash, randomBytes } from "node:crypto";
import { AwsError, type LocalContext } from "../../contracts";
import type { S3Store, StoredObject, WriteCondition } from "./store";

const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PART_NUMBER = 10_000;

interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly blob: string;
}

export class MultipartUploads {
  constructor(
    private readonly context: LocalContext,
    private readonly store: S3Store,
  ) {
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS s3_uploads (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, created_at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS s3_parts (upload TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, blob TEXT NOT NULL, modified_at INTEGER NOT NULL, PRIMARY KEY (upload, number));
    `);
  }

  create(bucket: string, key: string, headers: Readonly<Record<string, string>>): string {
    const id = randomBytes(32).toString("base64url");
    this.context.db
      .prepare("INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)")
      .run(id, bucket, key, JSON.stringify(headers), this.context.clock.now());
    return id;
  }

  /** Stores a part or replaces it; returns its ETag. */
  async putPart(bucket: string, key: string, id: string, number: number, data: Buffer): Promise<string> {
    this.headers(bucket, key, id);
    if (!Number.isInteger(number) || number < 1 || number > MAX_PART_NUMBER)
      throw new AwsError("InvalidArgument", `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`);
    const etag = `"${createHash("md5").update(data).digest("hex")}"`;
    const previous = this.parts(id).find((part) => part.number === number);
    const blob = await this.store.writeBlob(data);
    this.context.db
      .prepare("INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?)")
      .run(id, number, etag, data.length, blob, this.context.clock.now());
    await this.store.removeBlob(previous?.blob);
    return etag;
  }

  /** Puts the named parts together. Throws InvalidPart, InvalidPartOrder or EntityTooSmall. */
  async complete(
    bucket: string,
    key: string,
    id: string,
    wanted: readonly { readonly number: number; readonly etag: string }[],
    condition: WriteCondition,
  ): Promise<StoredObject> {
    const headers = this.headers(bucket, key, id);
    const stored = new Map(this.parts(id).map((part) => [part.number, part]));
    if (wanted.length === 0) throw new AwsError("MalformedXML", "You must specify at least one part.");
    const parts = wanted.map(({ number, etag }, index) => {
      const part = stored.get(number);
      if (!part || part.etag.replaceAll('"', "") !== etag.replaceAll('"', ""))
        throw new AwsError("InvalidPart", `Part ${number} could not be found, or its ETag is not '${etag}'.`);
      if (index > 0 && number <= (wanted[index - 1]?.number ?? 0))
        throw new AwsError("InvalidPartOrder", "The list of parts was not in ascending order.");
      if (index < wanted.length - 1 && part.size < MIN_PART_BYTES)
        throw new AwsError(
          "EntityTooSmall",
          `Part ${number} has ${part.size} bytes; every part but the last needs ${MIN_PART_BYTES}.`,
        );
      return part;
    });
    const data = await Promise.all(parts.map((part) => this.store.readBlob(part)));
    const digests = Buffer.concat(parts.map((part) => Buffer.from(part.etag.replaceAll('"', ""), "hex")));
    const etag = `"${createHash("md5").update(digests).digest("hex")}-${parts.length}"`;
    const object = await this.store.put(bucket, key, Buffer.concat(data), { headers, etag }, condition);
    await this.abort(bucket, key, id);
    return object;
  }

  async abort(bucket: string, key: string, id: string): Promise<void> {
    this.headers(bucket, key, id);
    const parts = this.parts(id);
    this.context.db.prepare("DELETE FROM s3_parts WHERE upload = ?").run(id);
    this.context.db.prepare("DELETE FROM s3_uploads WHERE id = ?").run(id);
    await Promise.all(parts.map((part) => this.store.removeBlob(part.blob)));
  }

  private parts(id: string): Part[] {
    const rows = this.context.db.prepare("SELECT * FROM s3_parts WHERE upload = ? ORDER BY number").all(id);
    return rows.map((row) => ({
      number: Number(row.number),
      etag: String(row.etag),
      size: Number(row.size),
      blob: String(row.blob),
    }));
  }

  /** Headers given when the upload was created. Throws NoSuchUpload. */
  private headers(bucket: string, key: string, id: string): Record<string, string> {
    const row = this.context.db
      .prepare("SELECT headers FROM s3_uploads WHERE id = ? AND bucket = ? AND key = ?")
      .get(id, bucket, key);
    if (!row)
      throw new AwsError("NoSuchUpload", "The specified upload does not exist. It may have been aborted or completed.", 404);
    return JSON.parse(String(row.headers)) as Record<string, string>;
  }
}
