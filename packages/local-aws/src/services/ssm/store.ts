/** Parameters and their versions, encrypted at rest, with the limits of the standard tier. */
import { AwsError, type LocalContext } from "../../contracts";
import { Vault } from "../vault";

const DEFAULT_KEY = "alias/aws/ssm";
/** https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html */
const MAX_BYTES = 4096;
const MAX_VERSIONS = 100;
const TYPES = ["String", "StringList", "SecureString"];

export interface ParameterInput {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly keyId?: string | undefined;
  readonly description?: string | undefined;
  readonly overwrite?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly type: string;
  /** Decrypted. */
  readonly value: string;
  readonly version: number;
  readonly keyId: string | undefined;
  readonly description: string | undefined;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

export class ParameterStore {
  private readonly vault: Vault;

  constructor(private readonly context: Pick<LocalContext, "db" | "dataDir" | "clock">) {
    this.vault = new Vault(context.dataDir);
    context.db.exec(`CREATE TABLE IF NOT EXISTS ssm_parameters (
      name TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, sealed BLOB NOT NULL, key_id TEXT, description TEXT,
      tier TEXT NOT NULL, modified_at INTEGER NOT NULL, PRIMARY KEY (name, version))`);
  }

  /** Writes a version; returns its number. Throws {@link AwsError} as the API would. */
  put(input: ParameterInput): number {
    const existing = this.find(input.name);
    if (existing && input.overwrite !== true)
      throw new AwsError(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
      );
    validate(input);
    const version = (existing?.version ?? 0) + 1;
    this.context.db
      .prepare("INSERT INTO ssm_parameters VALUES (?, ?, ?, ?, ?, ?, 'Standard', ?)")
      .run(
        input.name,
        version,
        input.type,
        this.vault.seal(input.value, input.name),
        input.type === "SecureString" ? (input.keyId ?? DEFAULT_KEY) : null,
        input.description ?? existing?.description ?? null,
        this.context.clock.now(),
      );
    this.context.db.prepare("DELETE FROM ssm_parameters WHERE name = ? AND version <= ?").run(input.name, version - MAX_VERSIONS);
    return version;
  }

  delete(name: string): void {
    this.context.db.prepare("DELETE FROM ssm_parameters WHERE name = ?").run(name);
  }

  /** The newest version, or the one after a colon (`name:3`), by name or ARN; `undefined` when there is none. */
  find(selector: string): Parameter | undefined {
    const match = /^(.*?)(?::(\d+))?$/.exec(selector.startsWith("arn:") ? nameOfArn(selector) : selector);
    const row = this.context.db
      .prepare("SELECT * FROM ssm_parameters WHERE name = ? AND (? IS NULL OR version = ?) ORDER BY version DESC LIMIT 1")
      .get(match?.[1] ?? "", match?.[2] ?? null, Number(match?.[2] ?? 0));
    return row === undefined ? undefined : this.fromRow(row);
  }

  /** @throws AwsError ParameterNotFound, ParameterVersionNotFound */
  existing(selector: string): Parameter {
    const parameter = this.find(selector);
    if (parameter) return parameter;
    const [, name, version] = /^(.*):(\d+)$/.exec(selector) ?? [];
    if (name !== undefined && this.find(name))
      throw new AwsError("ParameterVersionNotFound", `Systems Manager could not find version ${version} of ${name}.`);
    throw new AwsError("ParameterNotFound", `The parameter '${selector}' does not exist.`);
  }

  /** All versions that are kept, oldest first. */
  versions(name: string): Parameter[] {
    const rows = this.context.db.prepare("SELECT * FROM ssm_parameters WHERE name = ? ORDER BY version").all(name);
    return rows.map((row) => this.fromRow(row));
  }

  names(): string[] {
    const rows = this.context.db.prepare("SELECT DISTINCT name FROM ssm_parameters ORDER BY name").all();
    return rows.map(({ name }) => String(name));
  }

  /** Returned in place of a SecureString's value when decryption wasn't requested. */
  ciphertext({ name, value }: Parameter): string {
    return this.vault.seal(value, name).toString("base64");
  }

  private fromRow(row: Record<string, unknown>): Parameter {
    return {
      name: String(row.name),
      type: String(row.type),
      value: this.vault.open(row.sealed as Uint8Array, String(row.name)),
      version: Number(row.version),
      keyId: row.key_id === null ? undefined : String(row.key_id),
      description: row.description === null ? undefined : String(row.description),
      modifiedAt: Number(row.modified_at),
    };
  }
}

function validate({ name, type, value }: ParameterInput): void {
  if (!TYPES.includes(type))
    throw new AwsError("UnsupportedParameterType", `Type of ${name} must be one of ${TYPES.join(", ")}, got '${type}'.`);
  if (!/^[a-zA-Z0-9_.\-/]{1,1011}$/.test(name) || /^\/?(aws|ssm)/i.test(name) || (name.includes("/") && !name.startsWith("/")))
    throw new AwsError(
      "ValidationException",
      `'${name}' is not a valid parameter name: use letters, digits, '_.-', a leading '/' for paths, and no 'aws' or 'ssm' prefix.`,
    );
  if (name.split("/").length > 16)
    throw new AwsError("HierarchyLevelLimitExceededException", `'${name}' has more than 15 levels.`);
  const bytes = Buffer.byteLength(value, "utf8");
  if (bytes === 0) throw new AwsError("ValidationException", `The value of ${name} must not be empty.`);
  if (bytes > MAX_BYTES)
    throw new AwsError("ValidationException", `The value of ${name} has ${bytes} bytes; the Standard tier allows ${MAX_BYTES}.`);
}

function nameOfArn(arn: string): string {
  const tail = arn.slice(arn.indexOf(":parameter/") + ":parameter/".length);
  return tail.includes("/") ? `/${tail}` : tail;
}
