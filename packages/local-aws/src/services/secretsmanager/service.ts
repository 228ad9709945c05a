/** Secrets Manager: secrets and their current values, encrypted at rest. */
import { randomUUID } from "node:crypto";
import { AwsError, type AwsService, type LocalContext } from "../../contracts";
import { Documents } from "../documents";
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
  readonly description: string;
  readonly keyId?: string | undefined;
  /** Epoch milliseconds from which it is gone. */
  readonly deletedAt?: number;
  readonly value?: { readonly versionId: string; readonly sealed: string; readonly createdAt: number };
}

export class SecretsManagerService implements AwsService {
  readonly name = "secretsmanager";
  private readonly vault: Vault;
  private readonly secrets: Documents<Secret>;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    private readonly context: LocalContext,
    gate: Pick<ServiceGate, "callerPermissions">,
  ) {
    this.vault = new Vault(context.dataDir);
    this.secrets = new Documents(context.db, "secret_documents");
    const arnOf = (id: string) => this.find(id)?.arn ?? secretArn(context.region, context.accountId, id);
    const service = serviceOf({
      name: this.name,
      iamPrefix: "secretsmanager",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: {
        GetSecretValue: {
          fields: ["SecretId"],
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
    const existing = this.find(name);
    if (existing?.deletedAt !== undefined)
      throw new AwsError(
        "InvalidRequestException",
        `You can't create this secret because a secret with this name is already scheduled for deletion: ${name} is gone after ${new Date(existing.deletedAt).toISOString()}. Wait, or choose another name.`,
      );
    this.secrets.put(arn, { ...existing, arn, name, description, keyId });
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
    if (windowDays === 0) this.secrets.delete(secret.arn);
    else if (secret.deletedAt === undefined)
      this.secrets.put(secret.arn, { ...secret, deletedAt: this.context.clock.now() + windowDays * 86_400_000 });
  }

  /** Makes a text the current value. */
  putValue(secretId: string, text: string): void {
    const secret = this.existing(secretId);
    if (Buffer.byteLength(text, "utf8") > MAX_SECRET_BYTES)
      throw new AwsError("InvalidParameterException", `The value of ${secret.name} is larger than ${MAX_SECRET_BYTES} bytes.`);
    const sealed = this.vault.seal(text, secret.arn).toString("base64");
    const value = { versionId: randomUUID(), sealed, createdAt: this.context.clock.now() };
    this.secrets.put(secret.arn, { ...secret, value });
  }

  /** The current value, or `undefined` when the secret or its value does not exist. */
  currentValue(secretId: string): string | undefined {
    const secret = this.find(secretId);
    return secret && this.textOf(secret);
  }

  /** Names of all secrets that aren't deleted. */
  names(): string[] {
    const kept = this.secrets.all().filter(({ deletedAt }) => deletedAt === undefined);
    return kept.map(({ name }) => name).sort();
  }

  /** By name, full ARN, or ARN without the six characters. */
  find(secretId: string): Secret | undefined {
    const secret = this.secrets
      .all()
      .find(({ arn, name }) => arn === secretId || name === secretId || arn.slice(0, -"-123456".length) === secretId);
    if (secret?.deletedAt === undefined || secret.deletedAt > this.context.clock.now()) return secret;
    this.secrets.delete(secret.arn);
    return undefined;
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

  private textOf({ arn, value }: Secret): string | undefined {
    return value && this.vault.open(Buffer.from(value.sealed, "base64"), arn);
  }

  private get(input: Input): object {
    const secret = this.existing(input.needText("SecretId"));
    const { value } = secret;
    if (value === undefined)
      throw new AwsError(
        "ResourceNotFoundException",
        `Secrets Manager can't find the specified secret value for staging label: ${CURRENT}`,
      );
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: value.versionId,
      VersionStages: [CURRENT],
      CreatedDate: value.createdAt / 1000,
      SecretString: this.textOf(secret),
    };
  }
}
