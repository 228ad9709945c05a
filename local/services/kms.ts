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

  /** Creates a key or changes its description and rotation; its material is kept. */
  putKey(id: string, description: string, rotation: boolean): void {
    this.context.db
      .prepare(
        "INSERT INTO kms_keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET description = excluded.description, rotation = excluded.rotation",
      )
      .run(id, randomBytes(32), description, rotation ? 1 : 0, this.context.clock.now());
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

  private key(keyId: string): KeyRow {
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
    const key = this.key(members.text("KeyId"));
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
      plain = openWith(this.key(id).material, blob.subarray(KEY_ID_LENGTH), context);
    } catch (cause) {
      if (cause instanceof AwsError && named !== undefined) throw cause;
      throw new AwsError("InvalidCiphertextException", "The ciphertext or its encryption context is not what was encrypted.");
    }
    return { KeyId: this.arnOf(id), Plaintext: plain.toString("base64"), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
  }

  private generateDataKey(members: Members): object {
    const key = this.key(members.text("KeyId"));
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
    return {
      KeyMetadata: {
        AWSAccountId: this.context.accountId,
        KeyId: key.id,
        Arn: this.arnOf(key.id),
        CreationDate: key.createdAt / 1000,
        Enabled: true,
        Description: key.description,
        KeyUsage: "ENCRYPT_DECRYPT",
        KeyState: "Enabled",
        Origin: "AWS_KMS",
        KeyManager: "CUSTOMER",
        KeySpec: "SYMMETRIC_DEFAULT",
        EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
        MultiRegion: false,
      },
    };
  }

  private list(members: Members): object {
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
