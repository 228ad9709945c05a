/** Secrets Manager: secrets with staged versions, encrypted at rest. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type LocalContext, type Permission } from "../contracts";
import { type JsonAction, type Members, paginate, runJsonAction } from "../gateway/json-service";
import { jsonBody } from "../gateway/protocols";
import type { KmsService } from "./kms";
import { randomPassword } from "./random-password";
import { stableHex } from "./resource-inputs";
import { Vault } from "./vault";

const CURRENT = "AWSCURRENT";
const PREVIOUS = "AWSPREVIOUS";
const MAX_SECRET_BYTES = 65_536;

interface SecretRow {
  readonly arn: string;
  readonly name: string;
  readonly description: string;
  readonly keyId: string | undefined;
  readonly createdAt: number;
  readonly deletedAt: number | undefined;
}

export interface SecretVersionRow {
  readonly id: string;
  readonly kind: "string" | "binary";
  readonly stages: readonly string[];
  readonly createdAt: number;
}

/** ARN with the six characters that AWS adds; derived from the name, so that it is the same on every start. */
export function secretArn(region: string, accountId: string, name: string): string {
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${stableHex(`secret ${name}`, 6)}`;
}

export class SecretsManagerService implements AwsService {
  readonly name = "secretsmanager";
  private readonly vault: Vault;
  private readonly actions: Readonly<Record<string, JsonAction>> = {
    CreateSecret: (members) => this.handleCreate(members),
    GetSecretValue: (members) => this.handleGet(members),
    PutSecretValue: (members) => this.handlePut(members),
    DescribeSecret: (members) => this.handleDescribe(members),
    ListSecrets: (members) => this.handleList(members),
    ListSecretVersionIds: (members) => this.handleVersions(members),
    DeleteSecret: (members) => this.handleDelete(members),
    RestoreSecret: (members) => this.handleRestore(members),
    GetRandomPassword: (members) => ({
      RandomPassword: randomPassword({
        length: members.optionalNumber("PasswordLength") ?? 32,
        excludePunctuation: members.flag("ExcludePunctuation"),
        excludeCharacters: members.optionalText("ExcludeCharacters") ?? "",
      }),
    }),
  };

  constructor(
    private readonly context: LocalContext,
    private readonly kms: KmsService,
  ) {
    this.vault = new Vault(context.dataDir);
    context.db.exec(`
      CREATE TABLE IF NOT EXISTS secrets (arn TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, key_id TEXT, created_at INTEGER NOT NULL, deleted_at INTEGER);
      CREATE TABLE IF NOT EXISTS secret_versions (arn TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, sealed BLOB NOT NULL, stages TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (arn, id));
    `);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const body = jsonBody(request);
    const action = `secretsmanager:${request.action}`;
    const named = body.SecretId ?? body.Name;
    if (typeof named !== "string") return [{ action, resource: "*" }];
    const secret = this.find(named);
    const own = { action, resource: secret?.arn ?? secretArn(this.context.region, this.context.accountId, named) };
    const keyAction = { GetSecretValue: "kms:Decrypt", PutSecretValue: "kms:GenerateDataKey" }[request.action];
    if (secret?.keyId === undefined || keyAction === undefined) return [own];
    const context = { "kms:ViaService": `secretsmanager.${this.context.region}.amazonaws.com` };
    return [own, { action: keyAction, resource: this.kms.arnOf(secret.keyId), context }];
  }

  handle(request: AwsRequest): Promise<AwsResponse> {
    return runJsonAction("secretsmanager", this.actions, request);
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
        `You can't create this secret because a secret with this name is already scheduled for deletion: ${name} is gone after ${new Date(deletedAt).toISOString()}. Wait, restore it (RestoreSecret), or choose another name.`,
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
   * Returns when it is gone, in epoch milliseconds.
   */
  deleteSecret(secretId: string, windowDays: number): number {
    if (windowDays !== 0 && !(Number.isInteger(windowDays) && windowDays >= 7 && windowDays <= 30))
      throw new AwsError(
        "InvalidParameterException",
        `RecoveryWindowInDays must be a whole number from 7 to 30, or 0 to delete at once, got ${windowDays}.`,
      );
    const secret = this.find(secretId);
    const deletedAt = secret?.deletedAt ?? this.context.clock.now() + windowDays * 86_400_000;
    if (secret === undefined) return deletedAt;
    if (windowDays === 0) this.drop(secret.arn);
    else this.context.db.prepare("UPDATE secrets SET deleted_at = ? WHERE arn = ?").run(deletedAt, secret.arn);
    return deletedAt;
  }

  private drop(arn: string): void {
    this.context.db.prepare("DELETE FROM secret_versions WHERE arn = ?").run(arn);
    this.context.db.prepare("DELETE FROM secrets WHERE arn = ?").run(arn);
  }

  /** Writes a version and moves AWSCURRENT to it. `token` makes a retry write nothing twice. Returns the version id. */
  putValue(secretId: string, value: string, kind: "string" | "binary" = "string", token: string = randomUUID()): string {
    const secret = this.existing(secretId);
    if (Buffer.byteLength(value, "utf8") > MAX_SECRET_BYTES)
      throw new AwsError("InvalidParameterException", `The value of ${secret.name} is larger than ${MAX_SECRET_BYTES} bytes.`);
    const versions = this.versions(secret.arn);
    if (versions.some((version) => version.id === token)) {
      if (this.valueOf(secret.arn, token) === value) return token;
      throw new AwsError(
        "ResourceExistsException",
        `Version ${token} of ${secret.name} exists with another value; use a new ClientRequestToken.`,
      );
    }
    const stage = this.context.db.prepare("UPDATE secret_versions SET stages = ? WHERE arn = ? AND id = ?");
    for (const version of versions) {
      const current = version.stages.includes(CURRENT);
      if (current || version.stages.includes(PREVIOUS)) stage.run(current ? PREVIOUS : "", secret.arn, version.id);
    }
    this.context.db
      .prepare("INSERT INTO secret_versions VALUES (?, ?, ?, ?, ?, ?)")
      .run(secret.arn, token, kind, this.vault.seal(value, secret.arn), CURRENT, this.context.clock.now());
    return token;
  }

  /** The current value, or `undefined` when the secret or its value does not exist. */
  currentValue(secretId: string): string | undefined {
    const secret = this.find(secretId);
    const current = secret && this.versions(secret.arn).find((version) => version.stages.includes(CURRENT));
    return secret && current ? this.valueOf(secret.arn, current.id) : undefined;
  }

  /** By name, full ARN, or ARN without the six characters. */
  private find(secretId: string): SecretRow | undefined {
    const row = this.context.db
      .prepare("SELECT * FROM secrets WHERE arn = ? OR name = ? OR substr(arn, 1, length(arn) - 7) = ?")
      .get(secretId, secretId, secretId);
    if (!row) return undefined;
    if (row.deleted_at !== null && Number(row.deleted_at) <= this.context.clock.now()) {
      this.drop(String(row.arn));
      return undefined;
    }
    return {
      arn: String(row.arn),
      name: String(row.name),
      description: String(row.description),
      keyId: row.key_id === null ? undefined : String(row.key_id),
      createdAt: Number(row.created_at),
      deletedAt: row.deleted_at === null ? undefined : Number(row.deleted_at),
    };
  }

  private existing(secretId: string): SecretRow {
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

  private versions(arn: string): SecretVersionRow[] {
    const rows = this.context.db
      .prepare("SELECT id, kind, stages, created_at FROM secret_versions WHERE arn = ? ORDER BY created_at, rowid")
      .all(arn);
    return rows.map((row) => ({
      id: String(row.id),
      kind: row.kind === "binary" ? "binary" : "string",
      stages: String(row.stages).split(",").filter(Boolean),
      createdAt: Number(row.created_at),
    }));
  }

  private valueOf(arn: string, id: string): string {
    const row = this.context.db.prepare("SELECT sealed FROM secret_versions WHERE arn = ? AND id = ?").get(arn, id);
    return this.vault.open(row?.sealed as Uint8Array, arn);
  }

  private handleCreate(members: Members): object {
    const name = members.text("Name");
    if (this.find(name))
      throw new AwsError("ResourceExistsException", `The operation failed because the secret ${name} already exists.`);
    const [value, kind] = secretValue(members, false);
    const token = members.optionalText("ClientRequestToken");
    const arn = this.putSecret(name, members.optionalText("Description") ?? "", members.optionalText("KmsKeyId"));
    members.refuseRest();
    return { ARN: arn, Name: name, ...(value === undefined ? {} : { VersionId: this.putValue(arn, value, kind, token) }) };
  }

  private handleGet(members: Members): object {
    const secret = this.existing(members.text("SecretId"));
    const id = members.optionalText("VersionId");
    const stage = members.optionalText("VersionStage") ?? (id === undefined ? CURRENT : undefined);
    members.refuseRest();
    const version = this.versions(secret.arn).find(
      (candidate) => (id === undefined || candidate.id === id) && (stage === undefined || candidate.stages.includes(stage)),
    );
    if (!version)
      throw new AwsError(
        "ResourceNotFoundException",
        `Secrets Manager can't find the specified secret value for ${id === undefined ? `staging label: ${stage}` : `VersionId: ${id}`}`,
      );
    const value = this.valueOf(secret.arn, version.id);
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.id,
      VersionStages: version.stages,
      CreatedDate: version.createdAt / 1000,
      ...(version.kind === "string" ? { SecretString: value } : { SecretBinary: value }),
    };
  }

  private handlePut(members: Members): object {
    const secret = this.existing(members.text("SecretId"));
    const [value, kind] = secretValue(members, true);
    const stages = members.texts("VersionStages");
    if (stages.some((stage) => stage !== CURRENT))
      throw new AwsError(
        "UnsupportedOperation",
        "secretsmanager:PutSecretValue: VersionStages other than AWSCURRENT are not supported locally.",
        501,
      );
    const token = members.optionalText("ClientRequestToken");
    members.refuseRest();
    const id = this.putValue(secret.arn, value ?? "", kind, token);
    return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: [CURRENT] };
  }

  private describe(secret: SecretRow): object {
    const versions = this.versions(secret.arn).filter((version) => version.stages.length > 0);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Description: secret.description,
      KmsKeyId: secret.keyId,
      CreatedDate: secret.createdAt / 1000,
      DeletedDate: secret.deletedAt === undefined ? undefined : secret.deletedAt / 1000,
      LastChangedDate: (versions.at(-1)?.createdAt ?? secret.createdAt) / 1000,
      VersionIdsToStages: Object.fromEntries(versions.map((version) => [version.id, version.stages])),
    };
  }

  private handleDescribe(members: Members): object {
    const id = members.text("SecretId");
    return this.describe(this.find(id) ?? this.existing(id));
  }

  private handleList(members: Members): object {
    const rows = this.context.db.prepare("SELECT arn FROM secrets WHERE deleted_at IS NULL ORDER BY name").all();
    const { page, next } = paginate(rows, members.optionalNumber("MaxResults") ?? 100, members.optionalText("NextToken"));
    members.refuseRest();
    const secrets = page.flatMap((row) => this.find(String(row.arn)) ?? []);
    return { SecretList: secrets.map((secret) => this.describe(secret)), NextToken: next };
  }

  private handleVersions(members: Members): object {
    const secret = this.existing(members.text("SecretId"));
    const deprecated = members.flag("IncludeDeprecated");
    members.refuseRest();
    const versions = this.versions(secret.arn).filter((version) => deprecated || version.stages.length > 0);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Versions: versions.map((version) => ({
        VersionId: version.id,
        VersionStages: version.stages,
        CreatedDate: version.createdAt / 1000,
      })),
    };
  }

  private handleDelete(members: Members): object {
    const secret = this.existing(members.text("SecretId"));
    const days = members.optionalNumber("RecoveryWindowInDays") ?? 30;
    const force = members.flag("ForceDeleteWithoutRecovery");
    members.refuseRest();
    const deletedAt = this.deleteSecret(secret.arn, force ? 0 : days);
    return { ARN: secret.arn, Name: secret.name, DeletionDate: deletedAt / 1000 };
  }

  private handleRestore(members: Members): object {
    const id = members.text("SecretId");
    const secret = this.find(id) ?? this.existing(id);
    this.context.db.prepare("UPDATE secrets SET deleted_at = NULL WHERE arn = ?").run(secret.arn);
    return { ARN: secret.arn, Name: secret.name };
  }
}

function secretValue(members: Members, required: boolean): [string | undefined, "string" | "binary"] {
  const text = members.optionalText("SecretString");
  const binary = members.optionalText("SecretBinary");
  if ((text !== undefined && binary !== undefined) || (required && text === undefined && binary === undefined))
    throw new AwsError("InvalidParameterException", "You must provide either SecretString or SecretBinary, and not both.");
  return [text ?? binary, binary === undefined ? "string" : "binary"];
}

export function createSecretsManagerService(context: LocalContext, kms: KmsService): SecretsManagerService {
  return new SecretsManagerService(context, kms);
}
