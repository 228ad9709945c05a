/** Key Management Service: symmetric keys, aliases and envelope encryption; enough for what the platform encrypts. */
import { randomBytes } from "node:crypto";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type LocalContext, type Permission } from "../contracts";
import { type JsonAction, type Members, paginate, runJsonAction } from "../gateway/json-service";
import { openWith, sealWith } from "./vault";

interface KeyRow {
  readonly id: string;
  readonly material: Buffer;
  readonly description: string;
  readonly rotation: boolean;
  readonly createdAt: number;
}

const KEY_ID_LENGTH = 36;

export class KmsService implements AwsService {
  readonly name = "kms";
  private readonly actions: Readonly<Record<string, JsonAction>> = {
    Encrypt: (members) => this.encrypt(members),
    Decrypt: (members) => this.decrypt(members),
    GenerateDataKey: (members) => this.generateDataKey(members),
    DescribeKey: (members) => this.describe(members),
    ListKeys: (members) => this.list(members),
    ListAliases: (members) => this.listAliases(members),
    GetKeyRotationStatus: (members) => ({ KeyRotationEnabled: this.key(members.text("KeyId")).rotation }),
  };

  constructor(private readonly context: LocalContext) {
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS kms_keys (id TEXT PRIMARY KEY, material BLOB NOT NULL, description TEXT NOT NULL, rotation INTEGER NOT NULL, created_at INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS kms_aliases (name TEXT PRIMARY KEY, key_id TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS kms_deletions (key_id TEXT PRIMARY KEY, at INTEGER NOT NULL);
    `);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    if (request.action === "ListKeys" || request.action === "ListAliases")
      return [{ action: `kms:${request.action}`, resource: "*" }];
    const body: unknown = request.body.length > 0 ? JSON.parse(request.body.toString("utf8")) : {};
    const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
    const named = typeof fields.KeyId === "string" ? fields.KeyId : undefined;
    const blob = typeof fields.CiphertextBlob === "string" ? Buffer.from(fields.CiphertextBlob, "base64") : undefined;
    const id = named ?? blob?.toString("latin1", 0, KEY_ID_LENGTH) ?? "";
    return [{ action: `kms:${request.action}`, resource: this.arnOf(id) }];
  }

  handle(request: AwsRequest): Promise<AwsResponse> {
    return runJsonAction("kms", this.actions, request);
  }

  /**
   * Creates a key or changes its description and rotation; its material is kept. One that waits for its deletion is replaced by a new
   * key of the same id: what the old one encrypted can't be read again.
   */
  putKey(id: string, description: string, rotation: boolean): void {
    if (this.deletionOf(id) !== undefined) this.drop(id);
    this.context.db
      .prepare(
        "INSERT INTO kms_keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET description = excluded.description, rotation = excluded.rotation",
      )
      .run(id, randomBytes(32), description, rotation ? 1 : 0, this.context.clock.now());
  }

  /** From now on nothing can be done with the key; after the window it is gone. */
  scheduleDeletion(id: string, windowDays: number): void {
    if (!(Number.isInteger(windowDays) && windowDays >= 7 && windowDays <= 30))
      throw new AwsError("ValidationException", `PendingWindowInDays must be a whole number from 7 to 30, got ${windowDays}.`);
    if (this.context.db.prepare("SELECT 1 FROM kms_keys WHERE id = ?").get(id) === undefined) return;
    this.context.db
      .prepare("INSERT OR IGNORE INTO kms_deletions VALUES (?, ?)")
      .run(id, this.context.clock.now() + windowDays * 86_400_000);
  }

  private deletionOf(id: string): number | undefined {
    const row = this.context.db.prepare("SELECT at FROM kms_deletions WHERE key_id = ?").get(id);
    return row === undefined ? undefined : Number(row.at);
  }

  /** A key takes its aliases along. */
  private drop(id: string): void {
    this.context.db.prepare("DELETE FROM kms_keys WHERE id = ?").run(id);
    this.context.db.prepare("DELETE FROM kms_aliases WHERE key_id = ?").run(id);
    this.context.db.prepare("DELETE FROM kms_deletions WHERE key_id = ?").run(id);
  }

  deleteAlias(name: string): void {
    this.context.db.prepare("DELETE FROM kms_aliases WHERE name = ?").run(name);
  }

  /** `name` with its `alias/` prefix. */
  putAlias(name: string, keyId: string): void {
    this.context.db
      .prepare("INSERT INTO kms_aliases VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id")
      .run(name, this.key(keyId).id);
  }

  /** ARN of a key given by id, ARN or alias. Unknown ids give the ARN that they would have. */
  arnOf(keyId: string): string {
    const tail = keyId.startsWith("arn:") ? keyId.split(":").slice(5).join(":") : keyId;
    const id = tail.startsWith("alias/") ? this.aliasTarget(tail) : tail.replace(/^key\//, "");
    return `arn:aws:kms:${this.context.region}:${this.context.accountId}:key/${id ?? tail}`;
  }

  private aliasTarget(name: string): string | undefined {
    const row = this.context.db.prepare("SELECT key_id FROM kms_aliases WHERE name = ?").get(name);
    return row ? String(row.key_id) : undefined;
  }

  /** A key that can be used. */
  private usable(keyId: string): KeyRow {
    const key = this.key(keyId);
    if (this.deletionOf(key.id) !== undefined)
      throw new AwsError("KMSInvalidStateException", `${this.arnOf(key.id)} is pending deletion.`);
    return key;
  }

  private dropExpired(): void {
    const due = this.context.db.prepare("SELECT key_id FROM kms_deletions WHERE at <= ?").all(this.context.clock.now());
    for (const row of due) this.drop(String(row.key_id));
  }

  private key(keyId: string): KeyRow {
    this.dropExpired();
    const arn = this.arnOf(keyId);
    const row = this.context.db.prepare("SELECT * FROM kms_keys WHERE id = ?").get(arn.slice(arn.lastIndexOf("/") + 1));
    if (!row) throw new AwsError("NotFoundException", `Key '${arn}' does not exist`);
    return {
      id: String(row.id),
      material: Buffer.from(row.material as Uint8Array),
      description: String(row.description),
      rotation: row.rotation === 1,
      createdAt: Number(row.created_at),
    };
  }

  private encrypt(members: Members): object {
    const key = this.usable(members.text("KeyId"));
    const context = encryptionContext(members);
    refuseAlgorithm(members);
    return {
      KeyId: this.arnOf(key.id),
      CiphertextBlob: seal(key, Buffer.from(members.text("Plaintext"), "base64"), context),
      EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
    };
  }

  private decrypt(members: Members): object {
    const blob = Buffer.from(members.text("CiphertextBlob"), "base64");
    const id = blob.toString("latin1", 0, KEY_ID_LENGTH);
    const named = members.optionalText("KeyId");
    const context = encryptionContext(members);
    refuseAlgorithm(members);
    if (named !== undefined && this.arnOf(named) !== this.arnOf(id))
      throw new AwsError("IncorrectKeyException", `The ciphertext was made with another key than '${named}'.`);
    let plain: Buffer;
    try {
      plain = openWith(this.usable(id).material, blob.subarray(KEY_ID_LENGTH), context);
    } catch (cause) {
      if (cause instanceof AwsError && (named !== undefined || cause.code === "KMSInvalidStateException")) throw cause;
      throw new AwsError("InvalidCiphertextException", "The ciphertext or its encryption context is not what was encrypted.");
    }
    return { KeyId: this.arnOf(id), Plaintext: plain.toString("base64"), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
  }

  private generateDataKey(members: Members): object {
    const key = this.usable(members.text("KeyId"));
    const spec = members.optionalText("KeySpec");
    const length = members.optionalNumber("NumberOfBytes") ?? (spec === "AES_128" ? 16 : 32);
    const plain = randomBytes(length);
    return {
      KeyId: this.arnOf(key.id),
      Plaintext: plain.toString("base64"),
      CiphertextBlob: seal(key, plain, encryptionContext(members)),
    };
  }

  private describe(members: Members): object {
    const key = this.key(members.text("KeyId"));
    const deletion = this.deletionOf(key.id);
    return {
      KeyMetadata: {
        AWSAccountId: this.context.accountId,
        KeyId: key.id,
        Arn: this.arnOf(key.id),
        CreationDate: key.createdAt / 1000,
        Enabled: deletion === undefined,
        Description: key.description,
        KeyUsage: "ENCRYPT_DECRYPT",
        KeyState: deletion === undefined ? "Enabled" : "PendingDeletion",
        ...(deletion === undefined ? {} : { DeletionDate: deletion / 1000 }),
        Origin: "AWS_KMS",
        KeyManager: "CUSTOMER",
        KeySpec: "SYMMETRIC_DEFAULT",
        EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
        MultiRegion: false,
      },
    };
  }

  private list(members: Members): object {
    this.dropExpired();
    const rows = this.context.db.prepare("SELECT id FROM kms_keys ORDER BY id").all();
    const { page, next } = paginate(rows, members.optionalNumber("Limit") ?? 100, members.optionalText("Marker"));
    const keys = page.map((row) => ({ KeyId: String(row.id), KeyArn: this.arnOf(String(row.id)) }));
    return { Keys: keys, Truncated: next !== undefined, NextMarker: next };
  }

  private listAliases(members: Members): object {
    const rows = this.context.db.prepare("SELECT name, key_id FROM kms_aliases ORDER BY name").all();
    const { page, next } = paginate(rows, members.optionalNumber("Limit") ?? 100, members.optionalText("Marker"));
    const prefix = `arn:aws:kms:${this.context.region}:${this.context.accountId}:`;
    const aliases = page.map((row) => ({
      AliasName: String(row.name),
      AliasArn: prefix + String(row.name),
      TargetKeyId: String(row.key_id),
    }));
    return { Aliases: aliases, Truncated: next !== undefined, NextMarker: next };
  }
}

function seal(key: KeyRow, plain: Buffer, context: string): string {
  return Buffer.concat([Buffer.from(key.id.padEnd(KEY_ID_LENGTH), "latin1"), sealWith(key.material, plain, context)]).toString(
    "base64",
  );
}

function encryptionContext(members: Members): string {
  members.accept("EncryptionContext");
  const context = members.values.EncryptionContext;
  return typeof context === "object" && context !== null ? JSON.stringify(Object.entries(context).sort()) : "[]";
}

function refuseAlgorithm(members: Members): void {
  const algorithm = members.optionalText("EncryptionAlgorithm");
  if (algorithm !== undefined && algorithm !== "SYMMETRIC_DEFAULT")
    throw new AwsError(
      "InvalidKeyUsageException",
      `EncryptionAlgorithm '${algorithm}' is not supported locally; use SYMMETRIC_DEFAULT.`,
    );
}

export function createKmsService(context: LocalContext): KmsService {
  return new KmsService(context);
}
