/**
 * Key Management Service: the keys and aliases that policies and resources name. Who may use a key is checked wherever a service would
 * use it; nothing on one machine is encrypted with one, so there is no key material.
 */
import { AwsError, type AwsService, type LocalContext } from "../../contracts";
import { serviceOf } from "../messaging/operations";

export interface Key {
  readonly id: string;
  readonly description: string;
  readonly rotation: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** When it is gone, epoch milliseconds; undefined for a key that nobody deleted. */
  readonly goneAt: number | undefined;
}

export class KmsService implements AwsService {
  readonly name = "kms";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(private readonly context: Pick<LocalContext, "region" | "accountId" | "db" | "clock">) {
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS kms_customer_keys (id TEXT PRIMARY KEY, description TEXT NOT NULL, rotation INTEGER NOT NULL, created_at INTEGER NOT NULL, gone_at INTEGER);
      CREATE TABLE IF NOT EXISTS kms_aliases (name TEXT PRIMARY KEY, key_id TEXT NOT NULL);
    `);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "kms",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: {
        DescribeKey: {
          fields: ["KeyId"],
          resource: (input) => this.arnOf(input.needText("KeyId")),
          run: (input) => this.describe(input.needText("KeyId")),
        },
      },
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** Creates a key or changes its description and rotation. One that waits for its deletion is replaced by a new key of the same id. */
  putKey(id: string, description: string, rotation: boolean): void {
    if (this.find(id)?.goneAt !== undefined) this.drop(id);
    this.context.db
      .prepare(
        "INSERT INTO kms_customer_keys VALUES (?, ?, ?, ?, NULL) ON CONFLICT (id) DO UPDATE SET description = excluded.description, rotation = excluded.rotation",
      )
      .run(id, description, rotation ? 1 : 0, this.context.clock.now());
  }

  /** From now on nothing can be done with the key; after the window it is gone. */
  scheduleDeletion(id: string, windowDays: number): void {
    if (!(Number.isInteger(windowDays) && windowDays >= 7 && windowDays <= 30))
      throw new AwsError("ValidationException", `PendingWindowInDays must be a whole number from 7 to 30, got ${windowDays}.`);
    this.context.db
      .prepare("UPDATE kms_customer_keys SET gone_at = ? WHERE id = ? AND gone_at IS NULL")
      .run(this.context.clock.now() + windowDays * 86_400_000, id);
  }

  /** By id. */
  find(id: string): Key | undefined {
    const row = this.context.db.prepare("SELECT * FROM kms_customer_keys WHERE id = ?").get(id);
    if (row === undefined) return undefined;
    const goneAt = row.gone_at === null ? undefined : Number(row.gone_at);
    if (goneAt !== undefined && goneAt <= this.context.clock.now()) {
      this.drop(id);
      return undefined;
    }
    return { id, description: String(row.description), rotation: row.rotation === 1, createdAt: Number(row.created_at), goneAt };
  }

  /** `name` with its `alias/` prefix. */
  putAlias(name: string, keyId: string): void {
    this.context.db
      .prepare("INSERT INTO kms_aliases VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id")
      .run(name, this.existing(keyId).id);
  }

  deleteAlias(name: string): void {
    this.context.db.prepare("DELETE FROM kms_aliases WHERE name = ?").run(name);
  }

  aliases(): string[] {
    return this.context.db
      .prepare("SELECT name FROM kms_aliases ORDER BY name")
      .all()
      .map(({ name }) => String(name));
  }

  /** ARN of a key given by id, ARN or alias. Unknown ids give the ARN that they would have. */
  arnOf(keyId: string): string {
    const tail = keyId.startsWith("arn:") ? keyId.split(":").slice(5).join(":") : keyId;
    const id = tail.startsWith("alias/") ? this.aliasTarget(tail) : tail.replace(/^key\//, "");
    return `arn:aws:kms:${this.context.region}:${this.context.accountId}:key/${id ?? tail}`;
  }

  /** Id of the key that an alias stands for. */
  aliasTarget(name: string): string | undefined {
    const row = this.context.db.prepare("SELECT key_id FROM kms_aliases WHERE name = ?").get(name);
    return row ? String(row.key_id) : undefined;
  }

  /** A key takes its aliases along. */
  private drop(id: string): void {
    this.context.db.prepare("DELETE FROM kms_customer_keys WHERE id = ?").run(id);
    this.context.db.prepare("DELETE FROM kms_aliases WHERE key_id = ?").run(id);
  }

  private existing(keyId: string): Key {
    const arn = this.arnOf(keyId);
    const key = this.find(arn.slice(arn.lastIndexOf("/") + 1));
    if (key === undefined) throw new AwsError("NotFoundException", `Key '${arn}' does not exist`);
    return key;
  }

  private describe(keyId: string): object {
    const { id, description, createdAt, goneAt } = this.existing(keyId);
    return {
      KeyMetadata: {
        AWSAccountId: this.context.accountId,
        KeyId: id,
        Arn: this.arnOf(id),
        CreationDate: createdAt / 1000,
        Enabled: goneAt === undefined,
        Description: description,
        KeyUsage: "ENCRYPT_DECRYPT",
        KeyState: goneAt === undefined ? "Enabled" : "PendingDeletion",
        ...(goneAt === undefined ? {} : { DeletionDate: goneAt / 1000 }),
        Origin: "AWS_KMS",
        KeyManager: "CUSTOMER",
        KeySpec: "SYMMETRIC_DEFAULT",
        EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
        MultiRegion: false,
      },
    };
  }
}
