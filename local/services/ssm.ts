/** Systems Manager Parameter Store, with versions, SecureString encryption at rest and size limits by tier. */
import { TokenBucket } from "../apigateway/throttle";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type LocalContext, type Permission } from "../contracts";
import { type JsonAction, type Members, paginate, runJsonAction } from "../gateway/json-service";
import { jsonBody } from "../gateway/protocols";
import type { KmsService } from "./kms";
import { Vault } from "./vault";

const DEFAULT_KEY = "alias/aws/ssm";
/** Bytes by tier: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html */
const MAX_BYTES: Readonly<Record<string, number>> = { Standard: 4096, Advanced: 8192, "Intelligent-Tiering": 8192 };
const TYPES = ["String", "StringList", "SecureString"];

/** "AWS Systems Manager endpoints and quotas": default throughput 40 a second of an account and region, shared by these actions. */
const METERED = ["GetParameter", "GetParameters", "GetParametersByPath"];
/** How many calls pass at once isn't published; a second's worth. */
const THROUGHPUT = { rate: 40, burst: 40 };

export interface ParameterInput {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly keyId?: string | undefined;
  readonly description?: string | undefined;
  readonly tier?: string | undefined;
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
  readonly tier: string;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

type Listener = (name: string, version: number) => void;

export class SsmService implements AwsService {
  readonly name = "ssm";
  private readonly vault: Vault;
  private readonly throughput: TokenBucket;
  private readonly listeners = new Set<Listener>();
  private readonly actions: Readonly<Record<string, JsonAction>> = {
    PutParameter: (members) => this.handlePut(members),
    GetParameter: (members) => this.handleGet(members),
    GetParameters: (members) => this.handleGetMany(members),
    GetParametersByPath: (members) => this.handleByPath(members),
    GetParameterHistory: (members) => this.handleHistory(members),
    DescribeParameters: (members) => this.handleDescribe(members),
    DeleteParameter: (members) => this.handleDelete(members),
    DeleteParameters: (members) => this.handleDeleteMany(members),
  };

  constructor(
    private readonly context: LocalContext,
    private readonly kms: KmsService,
  ) {
    this.vault = new Vault(context.dataDir);
    this.throughput = new TokenBucket(THROUGHPUT, () => context.clock.now());
    context.db.exec(`CREATE TABLE IF NOT EXISTS ssm_parameters (
      name TEXT NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, sealed BLOB NOT NULL, key_id TEXT, description TEXT,
      tier TEXT NOT NULL, modified_at INTEGER NOT NULL, PRIMARY KEY (name, version))`);
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const body = jsonBody(request);
    const action = `ssm:${request.action}`;
    if (request.action === "DescribeParameters") return [{ action, resource: "*" }];
    const names = [body.Name, body.Path, ...(Array.isArray(body.Names) ? body.Names : [])].filter(
      (name) => typeof name === "string",
    );
    const own = names.map((name) => ({ action, resource: this.arnOf(name.replace(/:\d+$/, "")) }));
    return [...own, ...this.keyPermissions(request.action, body, names)];
  }

  /** Customer-managed keys need a grant of their own; the account's default key does not. */
  private keyPermissions(action: string, body: Readonly<Record<string, unknown>>, names: readonly string[]): Permission[] {
    const context = { "kms:ViaService": `ssm.${this.context.region}.amazonaws.com` };
    if (action === "PutParameter") {
      const keyId = body.Type === "SecureString" && typeof body.KeyId === "string" ? body.KeyId : undefined;
      return keyId === undefined || keyId === DEFAULT_KEY
        ? []
        : [{ action: "kms:Encrypt", resource: this.kms.arnOf(keyId), context }];
    }
    if (body.WithDecryption !== true) return [];
    const found =
      action === "GetParametersByPath"
        ? names.flatMap((path) => this.under(path, true))
        : names.flatMap((name) => this.find(name) ?? []);
    const keys = new Set(
      found.flatMap((parameter) => (parameter.keyId !== undefined && parameter.keyId !== DEFAULT_KEY ? [parameter.keyId] : [])),
    );
    return [...keys].map((keyId) => ({ action: "kms:Decrypt", resource: this.kms.arnOf(keyId), context }));
  }

  /** Meters calls over the wire; what the runtime itself reads goes by {@link find}. */
  async handle(request: AwsRequest): Promise<AwsResponse> {
    if (METERED.includes(request.action) && !this.throughput.take()) throw new AwsError("ThrottlingException", "Rate exceeded");
    return runJsonAction("ssm", this.actions, request);
  }

  arnOf(name: string): string {
    if (name.startsWith("arn:")) return name;
    return `arn:aws:ssm:${this.context.region}:${this.context.accountId}:parameter/${name.replace(/^\//, "")}`;
  }

  /** Writes a version; returns its number. Throws {@link AwsError} as the API would. */
  putParameter(input: ParameterInput): number {
    const existing = this.find(input.name);
    if (existing && input.overwrite !== true)
      throw new AwsError(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
      );
    this.validate(input);
    if (existing?.tier === "Advanced" && input.tier === "Standard")
      throw new AwsError(
        "ValidationException",
        `${input.name} uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier; delete it and create it again.`,
      );
    const version = (existing?.version ?? 0) + 1;
    const keyId = input.type === "SecureString" ? (input.keyId ?? DEFAULT_KEY) : null;
    const bytes = Buffer.byteLength(input.value, "utf8");
    const tier =
      input.tier === "Intelligent-Tiering"
        ? bytes > 4096
          ? "Advanced"
          : "Standard"
        : (input.tier ?? existing?.tier ?? "Standard");
    this.context.db
      .prepare("INSERT INTO ssm_parameters VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        input.name,
        version,
        input.type,
        this.vault.seal(input.value, input.name),
        keyId,
        input.description ?? existing?.description ?? null,
        tier,
        this.context.clock.now(),
      );
    // AWS keeps 100 versions of a parameter.
    this.context.db.prepare("DELETE FROM ssm_parameters WHERE name = ? AND version <= ?").run(input.name, version - 100);
    for (const listener of this.listeners) listener(input.name, version);
    return version;
  }

  private validate(input: ParameterInput): void {
    if (!TYPES.includes(input.type))
      throw new AwsError(
        "UnsupportedParameterType",
        `Type of ${input.name} must be one of ${TYPES.join(", ")}, got '${input.type}'.`,
      );
    if (
      !/^[a-zA-Z0-9_.\-/]{1,1011}$/.test(input.name) ||
      /^\/?(aws|ssm)/i.test(input.name) ||
      (input.name.includes("/") && !input.name.startsWith("/"))
    )
      throw new AwsError(
        "ValidationException",
        `'${input.name}' is not a valid parameter name: use letters, digits, '_.-', a leading '/' for paths, and no 'aws' or 'ssm' prefix.`,
      );
    if (input.name.split("/").length > 16)
      throw new AwsError("HierarchyLevelLimitExceededException", `'${input.name}' has more than 15 levels.`);
    const limit = MAX_BYTES[input.tier ?? "Standard"];
    if (limit === undefined)
      throw new AwsError("ValidationException", `Tier must be one of ${Object.keys(MAX_BYTES).join(", ")}, got '${input.tier}'.`);
    const bytes = Buffer.byteLength(input.value, "utf8");
    if (bytes === 0) throw new AwsError("ValidationException", `The value of ${input.name} must not be empty.`);
    if (bytes > limit)
      throw new AwsError(
        "ValidationException",
        `The value of ${input.name} has ${bytes} bytes; the ${input.tier ?? "Standard"} tier allows ${limit}.`,
      );
  }

  /** The newest version, or the one after a colon (`name:3`); `undefined` when there is none. */
  find(selector: string): Parameter | undefined {
    const match = /^(.*?)(?::(\d+))?$/.exec(selector.startsWith("arn:") ? this.nameOfArn(selector) : selector);
    const rows = this.context.db
      .prepare("SELECT * FROM ssm_parameters WHERE name = ? AND (? IS NULL OR version = ?) ORDER BY version DESC LIMIT 1")
      .all(match?.[1] ?? "", match?.[2] ?? null, Number(match?.[2] ?? 0));
    return rows[0] ? this.fromRow(rows[0]) : undefined;
  }

  /** Calls back after every write with the parameter's name and version; returns how to stop. */
  onChange(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  deleteParameter(name: string): boolean {
    return this.context.db.prepare("DELETE FROM ssm_parameters WHERE name = ?").run(name).changes > 0;
  }

  private nameOfArn(arn: string): string {
    const tail = arn.slice(arn.indexOf(":parameter/") + ":parameter/".length);
    return tail.includes("/") ? `/${tail}` : tail;
  }

  private fromRow(row: Record<string, unknown>): Parameter {
    return {
      name: String(row.name),
      type: String(row.type),
      value: this.vault.open(row.sealed as Uint8Array, String(row.name)),
      version: Number(row.version),
      keyId: row.key_id === null ? undefined : String(row.key_id),
      description: row.description === null ? undefined : String(row.description),
      tier: String(row.tier),
      modifiedAt: Number(row.modified_at),
    };
  }

  private latest(): Parameter[] {
    return this.context.db
      .prepare(
        "SELECT p.* FROM ssm_parameters p JOIN (SELECT name, MAX(version) AS v FROM ssm_parameters GROUP BY name) l ON l.name = p.name AND l.v = p.version ORDER BY p.name",
      )
      .all()
      .map((row) => this.fromRow(row));
  }

  private under(path: string, recursive: boolean): Parameter[] {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    return this.latest().filter(
      (parameter) => parameter.name.startsWith(prefix) && (recursive || !parameter.name.slice(prefix.length).includes("/")),
    );
  }

  private existing(selector: string): Parameter {
    const parameter = this.find(selector);
    if (parameter) return parameter;
    const version = /:(\d+)$/.exec(selector)?.[1];
    if (version !== undefined && this.find(selector.replace(/:\d+$/, "")))
      throw new AwsError(
        "ParameterVersionNotFound",
        `Systems Manager could not find version ${version} of ${selector.replace(/:\d+$/, "")}.`,
      );
    throw new AwsError("ParameterNotFound", `The parameter '${selector}' does not exist.`);
  }

  /** Without decryption AWS answers with ciphertext. */
  private describeValue(parameter: Parameter, decrypt: boolean, selector = parameter.name): object {
    const hidden = parameter.type === "SecureString" && !decrypt;
    const version = /:\d+$/.exec(selector)?.[0];
    return {
      Name: parameter.name,
      Type: parameter.type,
      Value: hidden ? this.vault.seal(parameter.value, parameter.name).toString("base64") : parameter.value,
      Version: parameter.version,
      ...(version === undefined ? {} : { Selector: version }),
      LastModifiedDate: parameter.modifiedAt / 1000,
      ARN: this.arnOf(parameter.name),
      DataType: "text",
    };
  }

  private handlePut(members: Members): object {
    const name = members.text("Name");
    const dataType = members.optionalText("DataType");
    if (dataType !== undefined && dataType !== "text")
      throw new AwsError("ValidationException", `DataType '${dataType}' is not supported locally; use 'text'.`);
    const tier = members.optionalText("Tier");
    const type = members.optionalText("Type") ?? this.find(name)?.type;
    if (type === undefined)
      throw new AwsError("ValidationException", "A parameter type is required when you create a parameter.");
    const input = {
      name,
      type,
      value: members.text("Value"),
      keyId: members.optionalText("KeyId"),
      description: members.optionalText("Description"),
      tier,
      overwrite: members.flag("Overwrite"),
    };
    members.refuseRest();
    const version = this.putParameter(input);
    return { Version: version, Tier: this.existing(name).tier };
  }

  private handleGet(members: Members): object {
    const name = members.text("Name");
    const decrypt = members.flag("WithDecryption");
    members.refuseRest();
    return { Parameter: this.describeValue(this.existing(name), decrypt, name) };
  }

  private handleGetMany(members: Members): object {
    const names = members.texts("Names");
    if (names.length === 0 || names.length > 10)
      throw new AwsError("ValidationException", `Names must have 1 to 10 entries, got ${names.length}.`);
    const decrypt = members.flag("WithDecryption");
    members.refuseRest();
    const found = names.map((name) => [name, this.find(name)] as const);
    return {
      Parameters: found.flatMap(([name, parameter]) => (parameter ? [this.describeValue(parameter, decrypt, name)] : [])),
      InvalidParameters: found.flatMap(([name, parameter]) => (parameter ? [] : [name])),
    };
  }

  private handleByPath(members: Members): object {
    const path = members.text("Path");
    const decrypt = members.flag("WithDecryption");
    const found = this.under(path, members.flag("Recursive"));
    const { page, next } = paginate(found, members.optionalNumber("MaxResults") ?? 10, members.optionalText("NextToken"));
    members.refuseRest();
    return { Parameters: page.map((parameter) => this.describeValue(parameter, decrypt)), NextToken: next };
  }

  private handleHistory(members: Members): object {
    const { name } = this.existing(members.text("Name"));
    const decrypt = members.flag("WithDecryption");
    const all = this.context.db.prepare("SELECT * FROM ssm_parameters WHERE name = ? ORDER BY version").all(name);
    const { page, next } = paginate(all, members.optionalNumber("MaxResults") ?? 50, members.optionalText("NextToken"));
    members.refuseRest();
    return {
      Parameters: page.map((row) => ({ ...this.describeValue(this.fromRow(row), decrypt), ...metadata(this.fromRow(row)) })),
      NextToken: next,
    };
  }

  private handleDescribe(members: Members): object {
    const filters = members.records("ParameterFilters").map(readFilter);
    const found = this.latest().filter((parameter) => filters.every((matches) => matches(parameter)));
    const { page, next } = paginate(found, members.optionalNumber("MaxResults") ?? 50, members.optionalText("NextToken"));
    members.refuseRest();
    return {
      Parameters: page.map((parameter) => ({
        Name: parameter.name,
        ARN: this.arnOf(parameter.name),
        Type: parameter.type,
        LastModifiedDate: parameter.modifiedAt / 1000,
        Version: parameter.version,
        DataType: "text",
        ...metadata(parameter),
      })),
      NextToken: next,
    };
  }

  private handleDelete(members: Members): object {
    const { name } = this.existing(members.text("Name"));
    this.deleteParameter(name);
    return {};
  }

  private handleDeleteMany(members: Members): object {
    const results = members.texts("Names").map((name) => [name, this.deleteParameter(name)] as const);
    return {
      DeletedParameters: results.flatMap(([name, deleted]) => (deleted ? [name] : [])),
      InvalidParameters: results.flatMap(([name, deleted]) => (deleted ? [] : [name])),
    };
  }
}

function metadata(parameter: Parameter): object {
  return { Tier: parameter.tier, Policies: [], KeyId: parameter.keyId, Description: parameter.description };
}

function readFilter(filter: Record<string, unknown>): (parameter: Parameter) => boolean {
  const values = Array.isArray(filter.Values) ? filter.Values.map(String) : [];
  const option = filter.Option === undefined ? "Equals" : String(filter.Option);
  if (filter.Key === "Type" && option === "Equals") return (parameter) => values.includes(parameter.type);
  if (filter.Key === "Name" && option === "Equals") return (parameter) => values.includes(parameter.name);
  if (filter.Key === "Name" && option === "BeginsWith")
    return (parameter) => values.some((value) => parameter.name.startsWith(value));
  if (filter.Key === "Name" && option === "Contains")
    return (parameter) => values.some((value) => parameter.name.includes(value));
  throw new AwsError(
    "InvalidFilterKey",
    `The filter ${String(filter.Key)} ${option} is not supported locally; use Name (Equals, BeginsWith, Contains) or Type.`,
  );
}

export function createSsmService(context: LocalContext, kms: KmsService): SsmService {
  return new SsmService(context, kms);
}
