/** Systems Manager Parameter Store on the endpoint. */
import { TokenBucket } from "../../apigateway/throttle";
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type LocalContext,
  type Permission,
} from "../../contracts";
import { type JsonAction, type Members, paginate, runJsonAction } from "../../gateway/json-service";
import { jsonBody } from "../../gateway/protocols";
import type { ServiceGate } from "../service-gate";
import { type Parameter, ParameterStore } from "./store";

/** "AWS Systems Manager endpoints and quotas": default throughput 40 a second of an account and region, shared by these actions. */
const METERED = ["GetParameter", "GetParameters", "GetParametersByPath"];
/** How many calls pass at once isn't published; a second's worth. */
const THROUGHPUT = { rate: 40, burst: 40 };

export class SsmService implements AwsService {
  readonly name = "ssm";
  /** What the runtime itself reads goes by the store, which is not metered. */
  readonly parameters: ParameterStore;
  private readonly throughput: TokenBucket;
  private readonly actions: Readonly<Record<string, JsonAction>> = {
    PutParameter: (members) => this.put(members),
    GetParameter: (members) => this.get(members),
    GetParameters: (members) => this.getMany(members),
    GetParametersByPath: (members) => this.getByPath(members),
    GetParameterHistory: (members) => this.history(members),
  };

  constructor(
    private readonly context: LocalContext,
    private readonly gate: Pick<ServiceGate, "permissionsOf">,
  ) {
    this.parameters = new ParameterStore(context);
    this.throughput = new TokenBucket(THROUGHPUT, () => context.clock.now());
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const body = jsonBody(request);
    const names = [body.Name, body.Path, ...(Array.isArray(body.Names) ? body.Names : [])].filter(
      (name) => typeof name === "string",
    );
    const action = `ssm:${request.action}`;
    const own = names.map((name) => ({ action, resource: this.arnOf(name.replace(/:\d+$/, "")) }));
    return [...own, ...this.keyPermissions(request.action, body, names)];
  }

  /** Customer-managed keys need a grant of their own; the account's default key does not. */
  private keyPermissions(action: string, body: Readonly<Record<string, unknown>>, names: readonly string[]): Permission[] {
    const use = (kmsAction: string, keys: readonly (string | undefined)[]) =>
      [...new Set(keys)].flatMap((key) => this.gate.permissionsOf({ uses: [kmsAction] }, "ssm", "", key));
    if (action === "PutParameter")
      return use("kms:Encrypt", [body.Type === "SecureString" && typeof body.KeyId === "string" ? body.KeyId : undefined]);
    if (body.WithDecryption !== true) return [];
    const found = names.flatMap((name) =>
      action === "GetParametersByPath" ? this.parameters.under(name, true) : (this.parameters.find(name) ?? []),
    );
    return use(
      "kms:Decrypt",
      found.map(({ keyId }) => keyId),
    );
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    if (METERED.includes(request.action) && !this.throughput.take()) throw new AwsError("ThrottlingException", "Rate exceeded");
    return runJsonAction("ssm", this.actions, request);
  }

  private arnOf(name: string): string {
    if (name.startsWith("arn:")) return name;
    return `arn:aws:ssm:${this.context.region}:${this.context.accountId}:parameter/${name.replace(/^\//, "")}`;
  }

  private shown(parameter: Parameter, decrypt: boolean, selector = parameter.name): object {
    const hidden = parameter.type === "SecureString" && !decrypt;
    const version = /:\d+$/.exec(selector)?.[0];
    return {
      Name: parameter.name,
      Type: parameter.type,
      Value: hidden ? this.parameters.ciphertext(parameter) : parameter.value,
      Version: parameter.version,
      ...(version === undefined ? {} : { Selector: version }),
      LastModifiedDate: parameter.modifiedAt / 1000,
      ARN: this.arnOf(parameter.name),
      DataType: "text",
    };
  }

  private put(members: Members): object {
    const name = members.text("Name");
    const dataType = members.optionalText("DataType");
    if (dataType !== undefined && dataType !== "text")
      throw new AwsError("ValidationException", `DataType '${dataType}' is not supported locally; use 'text'.`);
    const type = members.optionalText("Type") ?? this.parameters.find(name)?.type;
    if (type === undefined)
      throw new AwsError("ValidationException", "A parameter type is required when you create a parameter.");
    const input = {
      name,
      type,
      value: members.text("Value"),
      keyId: members.optionalText("KeyId"),
      description: members.optionalText("Description"),
      overwrite: members.flag("Overwrite"),
    };
    members.refuseRest();
    return { Version: this.parameters.put(input), Tier: "Standard" };
  }

  private get(members: Members): object {
    const name = members.text("Name");
    const decrypt = members.flag("WithDecryption");
    members.refuseRest();
    return { Parameter: this.shown(this.parameters.existing(name), decrypt, name) };
  }

  private getMany(members: Members): object {
    const names = members.texts("Names");
    if (names.length === 0 || names.length > 10)
      throw new AwsError("ValidationException", `Names must have 1 to 10 entries, got ${names.length}.`);
    const decrypt = members.flag("WithDecryption");
    members.refuseRest();
    const found = names.map((name) => [name, this.parameters.find(name)] as const);
    return {
      Parameters: found.flatMap(([name, parameter]) => (parameter ? [this.shown(parameter, decrypt, name)] : [])),
      InvalidParameters: found.flatMap(([name, parameter]) => (parameter ? [] : [name])),
    };
  }

  private getByPath(members: Members): object {
    const decrypt = members.flag("WithDecryption");
    const found = this.parameters.under(members.text("Path"), members.flag("Recursive"));
    const { page, next } = paginate(found, members.optionalNumber("MaxResults") ?? 10, members.optionalText("NextToken"));
    members.refuseRest();
    return { Parameters: page.map((parameter) => this.shown(parameter, decrypt)), NextToken: next };
  }

  private history(members: Members): object {
    const { name } = this.parameters.existing(members.text("Name"));
    const decrypt = members.flag("WithDecryption");
    const all = this.parameters.versions(name);
    const { page, next } = paginate(all, members.optionalNumber("MaxResults") ?? 50, members.optionalText("NextToken"));
    members.refuseRest();
    return {
      Parameters: page.map((parameter) => ({
        ...this.shown(parameter, decrypt),
        Tier: "Standard",
        Policies: [],
        KeyId: parameter.keyId,
        Description: parameter.description,
      })),
      NextToken: next,
    };
  }
}
