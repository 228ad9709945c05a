/** Buckets and objects: metadata in SQLite, bytes in files with random names (object keys never become paths). */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { AwsError, type LocalContext } from "../../contracts";
import { Documents } from "../documents";
import { transaction } from "../messaging/database";

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  /** `null` when written without versioning. */
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
  /** Response headers that belong to the object: content-type, content-encoding, x-amz-meta-*, checksums. */
  readonly headers: Readonly<Record<string, string>>;
  readonly blob: string | undefined;
  /** Grows with every write; orders versions and events. */
  readonly sequence: number;
}

export interface BucketConfig {
  readonly versioning?: "Enabled" | "Suspended" | undefined;
  readonly encryption?: { readonly algorithm: string; readonly keyId?: string | undefined } | undefined;
  readonly notifications?: readonly NotificationTarget[] | undefined;
  readonly expirations?: readonly Expiration[] | undefined;
}

interface Bucket {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly config: BucketConfig;
}

export interface NotificationTarget {
  readonly id: string;
  readonly arn: string;
  /** `s3:ObjectCreated:*` … */
  readonly events: readonly string[];
  readonly prefix: string;
  readonly suffix: string;
}

export interface Expiration {
  readonly prefix: string;
  readonly days: number;
}

/** Checked in the same transaction as the write. */
export interface WriteCondition {
  /** `*`: only when the key does not exist. */
  readonly ifNoneMatch?: string | undefined;
  /** ETag that the current object must have. */
  readonly ifMatch?: string | undefined;
}

export class S3Store {
  private readonly folder: string;
  private readonly bucketsByName: Documents<Bucket>;

  constructor(private readonly context: LocalContext) {
    this.folder = join(context.dataDir, "s3");
    mkdirSync(this.folder, { recursive: true });
    this.bucketsByName = new Documents(context.db, "s3_bucket_documents");
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS s3_objects (sequence INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
        latest INTEGER NOT NULL, delete_marker INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified_at INTEGER NOT NULL,
        headers TEXT NOT NULL, blob TEXT, UNIQUE (bucket, key, version_id));
      CREATE INDEX IF NOT EXISTS s3_objects_latest ON s3_objects (bucket, key) WHERE latest = 1;
    `);
  }

  /** Creates a bucket; an existing one is left alone. */
  createBucket(name: string): void {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name))
      throw new AwsError(
        "InvalidBucketName",
        `The bucket name '${name}' is not valid: 3 to 63 lower-case letters, digits, dots and hyphens.`,
      );
    if (!this.hasBucket(name)) this.bucketsByName.put(name, { name, createdAt: this.context.clock.now(), config: {} });
  }

  deleteBucket(name: string): void {
    this.config(name);
    if (this.context.db.prepare("SELECT 1 FROM s3_objects WHERE bucket = ? LIMIT 1").get(name))
      throw new AwsError(
        "BucketNotEmpty",
        `The bucket '${name}' you tried to delete is not empty. Delete its objects and versions first, or set forceDestroy.`,
        409,
      );
    this.bucketsByName.delete(name);
  }

  hasBucket(name: string): boolean {
    return this.bucketsByName.get(name) !== undefined;
  }

  /** Removes all versions and markers of the keys that `chooses` takes; no events. */
  async deleteVersions(bucket: string, chooses: (key: string) => boolean): Promise<void> {
    for (const { key, versionId } of this.versions(bucket)) if (chooses(key)) await this.delete(bucket, key, versionId);
  }

  buckets(): Bucket[] {
    return this.bucketsByName.sorted();
  }

  /** Throws NoSuchBucket. */
  config(bucket: string): BucketConfig {
    return this.bucket(bucket).config;
  }

  private bucket(name: string): Bucket {
    const bucket = this.bucketsByName.get(name);
    if (!bucket) throw new AwsError("NoSuchBucket", `The specified bucket '${name}' does not exist`, 404);
    return bucket;
  }

  configure(name: string, changes: BucketConfig): void {
    const bucket = this.bucket(name);
    this.bucketsByName.put(name, { ...bucket, config: { ...bucket.config, ...changes } });
  }

  async readBlob(object: Pick<StoredObject, "blob">): Promise<Buffer> {
    return object.blob === undefined ? Buffer.alloc(0) : readFile(join(this.folder, object.blob));
  }

  /** Writes bytes under a new random name; they count once a row names them. */
  async writeBlob(data: Buffer): Promise<string> {
    const name = randomUUID();
    try {
      await writeFile(join(this.folder, name), data, { flag: "wx" });
    } catch (error) {
      // A full disk leaves the first part of the file.
      await this.removeBlob(name);
      throw error;
    }
    return name;
  }

  async removeBlob(name: string | undefined): Promise<void> {
    if (name !== undefined) await rm(join(this.folder, name), { force: true });
  }

  /** Puts an object: visible completely or not at all. Throws PreconditionFailed or ConditionalRequestConflict. */
  async put(
    bucket: string,
    key: string,
    data: Buffer,
    meta: { readonly headers: StoredObject["headers"]; readonly etag?: string },
    condition: WriteCondition = {},
  ): Promise<StoredObject> {
    this.config(bucket);
    const blob = await this.writeBlob(data);
    const etag = meta.etag ?? `"${createHash("md5").update(data).digest("hex")}"`;
    let replaced: string | undefined;
    try {
      replaced = transaction(this.context.db, () => {
        this.checkCondition(bucket, key, condition);
        return this.insert(bucket, key, { size: data.length, etag, headers: meta.headers, blob, deleteMarker: false });
      });
    } catch (error) {
      await this.removeBlob(blob);
      throw error;
    }
    await this.removeBlob(replaced);
    return this.expect(bucket, key);
  }

  /** Throws when a conditional write must not happen. */
  private checkCondition(bucket: string, key: string, condition: WriteCondition): void {
    const current = this.find(bucket, key);
    const exists = current !== undefined && !current.deleteMarker;
    if (condition.ifNoneMatch !== undefined && condition.ifNoneMatch !== "*")
      throw new AwsError("NotImplemented", "If-None-Match on a write only supports '*'.", 501);
    if (condition.ifNoneMatch === "*" && exists)
      throw new AwsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold: If-None-Match",
        412,
      );
    if (condition.ifMatch === undefined) return;
    if (!exists) throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
    if (!sameEtag(condition.ifMatch, current.etag))
      throw new AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold: If-Match", 412);
  }

  /** The current object (perhaps a delete marker) or a version of it. */
  find(bucket: string, key: string, versionId?: string): StoredObject | undefined {
    const row =
      versionId === undefined
        ? this.context.db.prepare("SELECT * FROM s3_objects WHERE bucket = ? AND key = ? AND latest = 1").get(bucket, key)
        : this.context.db
            .prepare("SELECT * FROM s3_objects WHERE bucket = ? AND key = ? AND version_id = ?")
            .get(bucket, key, versionId);
    return row ? fromRow(row) : undefined;
  }

  /** Deletes as S3 does: a marker when versioned, the bytes otherwise. Returns the marker or the version removed, if any. */
  async delete(bucket: string, key: string, versionId?: string): Promise<StoredObject | undefined> {
    const { versioning } = this.config(bucket);
    if (versionId === undefined && versioning !== undefined) {
      const marker = { size: 0, etag: "", headers: {}, blob: undefined, deleteMarker: true };
      await this.removeBlob(transaction(this.context.db, () => this.insert(bucket, key, marker)));
      return this.expect(bucket, key);
    }
    const object = this.find(bucket, key, versionId);
    if (!object) return undefined;
    transaction(this.context.db, () => {
      this.context.db.prepare("DELETE FROM s3_objects WHERE sequence = ?").run(object.sequence);
      this.context.db
        .prepare(
          "UPDATE s3_objects SET latest = 1 WHERE sequence = (SELECT MAX(sequence) FROM s3_objects WHERE bucket = ? AND key = ?)",
        )
        .run(bucket, key);
    });
    await this.removeBlob(object.blob);
    return object;
  }

  /** Objects in key order from `after` on (exclusive unless `inclusive`), a page at a time. */
  page(bucket: string, after: string, inclusive: boolean, limit: number): StoredObject[] {
    const operator = inclusive ? ">=" : ">";
    return this.rows(
      `SELECT * FROM s3_objects WHERE bucket = ? AND latest = 1 AND delete_marker = 0 AND key ${operator} ? ORDER BY key LIMIT ?`,
      [bucket, after, limit],
    );
  }

  /** All versions, newest first within a key. */
  versions(bucket: string): StoredObject[] {
    return this.rows("SELECT * FROM s3_objects WHERE bucket = ? ORDER BY key, sequence DESC", [bucket]);
  }

  /** Returns the blob that was overwritten, to be removed after the transaction. */
  private insert(
    bucket: string,
    key: string,
    object: Pick<StoredObject, "size" | "etag" | "headers" | "blob" | "deleteMarker">,
  ): string | undefined {
    const { db, clock } = this.context;
    const versionId = this.config(bucket).versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
    const replaced = this.find(bucket, key, versionId);
    db.prepare("DELETE FROM s3_objects WHERE bucket = ? AND key = ? AND version_id = ?").run(bucket, key, versionId);
    db.prepare("UPDATE s3_objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1").run(bucket, key);
    db.prepare(
      "INSERT INTO s3_objects (bucket, key, version_id, latest, delete_marker, size, etag, modified_at, headers, blob) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
    ).run(
      bucket,
      key,
      versionId,
      object.deleteMarker ? 1 : 0,
      object.size,
      object.etag,
      clock.now(),
      JSON.stringify(object.headers),
      object.blob ?? null,
    );
    return replaced?.blob;
  }

  private expect(bucket: string, key: string): StoredObject {
    const object = this.find(bucket, key);
    if (!object)
      throw new AwsError("OperationAborted", `A conflicting operation removed '${key}' at the same time. Try again.`, 409);
    return object;
  }

  private rows(sql: string, parameters: SQLInputValue[]): StoredObject[] {
    return this.context.db
      .prepare(sql)
      .all(...parameters)
      .map(fromRow);
  }
}

export function sameEtag(given: string, actual: string): boolean {
  return given.split(",").some((etag) => etag.trim() === "*" || etag.trim().replaceAll('"', "") === actual.replaceAll('"', ""));
}

function fromRow(row: Record<string, unknown>): StoredObject {
  return {
    bucket: String(row.bucket),
    key: String(row.key),
    versionId: String(row.version_id),
    deleteMarker: row.delete_marker === 1,
    size: Number(row.size),
    etag: String(row.etag),
    modifiedAt: Number(row.modified_at),
    headers: JSON.parse(String(row.headers)) as Record<string, string>,
    blob: row.blob === null ? undefined : String(row.blob),
    sequence: Number(row.sequence),
  };
}
