/** Secrets Manager: secrets and their current values, encrypted at rest. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type LocalContext } from "../../contracts";
import type { Input } from "../messaging/input";
import { serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import { Vault } from "../vault";
import { secretArn } from "./arn";

const CURRENT = "AWSCURRENT";
const MAX_SECRET_BYTES = 65_536;

interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly keyId: string | undefined;
  readonly deletedAt: number | undefined;
}

interface Value {
  readonly versionId: string;
  readonly text: string;
  readonly createdAt: number;
}

export class SecretsManagerService implements AwsService {
  readonly name = "secretsmanager";
  private readonly vault: Vault;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    private readonly context: LocalContext,
    gate: Pick<ServiceGate, "callerPermissions">,
  ) {
    this.vault = new Vault(context.dataDir);
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS secrets (arn TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, key_id TEXT, created_at INTEGER NOT NULL, deleted_at INTEGER);
      CREATE TABLE IF NOT EXISTS secret_versions (arn TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, sealed BLOB NOT NULL, stages TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (arn, id));
    `);
    const arnOf = (id: string) => this.find(id)?.arn ?? secretArn(context.region, context.accountId, id);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "secretsmanager",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: {
        GetSecretValue: {
          fields: ["SecretId", "VersionId", "VersionStage"],
          resource: (input) => arnOf(input.needText("SecretId")),
          run: (input) => this.get(input),
        },
      },
      keyUse: (action, arn) => gate.callerPermissions(`secretsmanager:${action}`, arn, this.find(arn)?.keyId),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /**
   * Creates a secret without a value, or updates its description and key. Returns its ARN.
   * @throws AwsError InvalidRequestException while a deleted one still has the name.
   */
  putSecret(name: string, description = "", keyId?: string): string {
    const arn = secretArn(this.context.region, this.context.accountId, name);
    const deletedAt = this.find(name)?.deletedAt;
    if (deletedAt !== undefined)
      throw new AwsError(
        "InvalidRequestException",
        `You can't create this secret because a secret with this name is already scheduled for deletion: ${name} is gone after ${new Date(deletedAt).toISOString()}. Wait, or choose another name.`,
      );
    this.context.db
      .prepare(
        "INSERT INTO secrets VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (arn) DO UPDATE SET description = excluded.description, key_id = excluded.key_id",
      )
      .run(arn, name, description, keyId ?? null, this.context.clock.now());
    return arn;
  }

  /**
   * Marks a secret for deletion, or removes it at once with a window of 0; nothing happens when that was done before.
   * @throws AwsError InvalidParameterException
   */
  deleteSecret(secretId: string, windowDays: number): void {
    if (windowDays !== 0 && !(Number.isInteger(windowDays) && windowDays >= 7 && windowDays <= 30))
      throw new AwsError(
        "InvalidParameterException",
        `RecoveryWindowInDays must be a whole number from 7 to 30, or 0 to delete at once, got ${windowDays}.`,
      );
    const secret = this.find(secretId);
    if (secret === undefined) return;
    if (windowDays === 0) this.drop(secret.arn);
    else
      this.context.db
        .prepare("UPDATE secrets SET deleted_at = ? WHERE arn = ? AND deleted_at IS NULL")
        .run(this.context.clock.now() + windowDays * 86_400_000, secret.arn);
  }

  /** Makes a text the current value. */
  putValue(secretId: string, text: string): void {
    const { arn, name } = this.existing(secretId);
    if (Buffer.byteLength(text, "utf8") > MAX_SECRET_BYTES)
      throw new AwsError("InvalidParameterException", `The value of ${name} is larger than ${MAX_SECRET_BYTES} bytes.`);
    this.context.db.prepare("DELETE FROM secret_versions WHERE arn = ?").run(arn);
    this.context.db
      .prepare("INSERT INTO secret_versions VALUES (?, ?, 'string', ?, ?, ?)")
      .run(arn, randomUUID(), this.vault.seal(text, arn), CURRENT, this.context.clock.now());
  }

  /** The current value, or `undefined` when the secret or its value does not exist. */
  currentValue(secretId: string): string | undefined {
    const secret = this.find(secretId);
    return secret && this.valueOf(secret)?.text;
  }

  /** Of all secrets that aren't deleted. */
  names(): string[] {
    const rows = this.context.db.prepare("SELECT name FROM secrets WHERE deleted_at IS NULL ORDER BY name").all();
    return rows.map(({ name }) => String(name));
  }

  private drop(arn: string): void {
    this.context.db.prepare("DELETE FROM secret_versions WHERE arn = ?").run(arn);
    this.context.db.prepare("DELETE FROM secrets WHERE arn = ?").run(arn);
  }

  /** By name, full ARN, or ARN without the six characters. */
  private find(secretId: string): Secret | undefined {
    const row = this.context.db
      .prepare("SELECT * FROM secrets WHERE arn = ? OR name = ? OR substr(arn, 1, length(arn) - 7) = ?")
      .get(secretId, secretId, secretId);
    if (!row) return undefined;
    const [arn, deletedAt] = [String(row.arn), row.deleted_at === null ? undefined : Number(row.deleted_at)];
    if (deletedAt !== undefined && deletedAt <= this.context.clock.now()) {
      this.drop(arn);
      return undefined;
    }
    return { arn, name: String(row.name), keyId: row.key_id === null ? undefined : String(row.key_id), deletedAt };
  }

  private existing(secretId: string): Secret {
    const secret = this.find(secretId);
    if (!secret)
      throw new AwsError("ResourceNotFoundException", `Secrets Manager can't find the specified secret '${secretId}'.`);
    if (secret.deletedAt !== undefined)
      throw new AwsError(
        "InvalidRequestException",
        `You can't perform this operation on the secret '${secret.name}' because it was marked for deletion.`,
      );
    return secret;
  }

  private valueOf({ arn }: Secret): Value | undefined {
    const row = this.context.db
      .prepare("SELECT id, sealed, created_at FROM secret_versions WHERE arn = ? AND stages = ?")
      .get(arn, CURRENT);
    if (row === undefined) return undefined;
    const text = this.vault.open(row.sealed as Uint8Array, arn);
    return { versionId: String(row.id), text, createdAt: Number(row.created_at) };
  }

  private get(input: Input): object {
    const secret = this.existing(input.needText("SecretId"));
    const id = input.text("VersionId");
    const stage = input.text("VersionStage") ?? CURRENT;
    const value = stage === CURRENT ? this.valueOf(secret) : undefined;
    if (value === undefined || (id !== undefined && id !== value.versionId))
      throw new AwsError(
        "ResourceNotFoundException",
        `Secrets Manager can't find the specified secret value for ${id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`}`,
      );
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: value.versionId,
      VersionStages: [CURRENT],
      CreatedDate: value.createdAt / 1000,
      SecretString: value.text,
    };
  }
}
