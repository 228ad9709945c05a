/** Systems Manager Parameter Store on the endpoint. */

import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type LocalContext,
  type Permission,
} from "../../contracts";
import { TokenBucket } from "../apigateway/throttle";
import type { Input } from "../messaging/input";
import { type Operation, page, serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import { type Parameter, ParameterStore } from "./store";

/** "AWS Systems Manager endpoints and quotas": default throughput 40 a second of an account and region, shared by these actions. */
const METERED = ["GetParameter", "GetParameters"];
/** How many calls pass at once isn't published; a second's worth. */
const THROUGHPUT = { rate: 40, burst: 40 };

export class SsmService implements AwsService {
  readonly name = "ssm";
  readonly permissions: AwsService["permissions"];
  /** The runtime itself reads the store directly, which isn't metered. */
  readonly parameters: ParameterStore;
  private readonly throughput: TokenBucket;
  private readonly service: AwsService;

  constructor(
    private readonly context: LocalContext,
    private readonly gate: Pick<ServiceGate, "permissionsOf">,
  ) {
    this.parameters = new ParameterStore(context);
    this.throughput = new TokenBucket(THROUGHPUT, () => context.clock.now());
    this.service = serviceOf({
      name: this.name,
      iamPrefix: "ssm",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: this.operations(),
    });
    this.permissions = this.service.permissions;
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    if (METERED.includes(request.action) && !this.throughput.take()) throw new AwsError("ThrottlingException", "Rate exceeded");
    return this.service.handle(request);
  }

  private operations(): Record<string, Operation> {
    const arnOf = (name: string) => this.arnOf(name.replace(/:\d+$/, ""));
    const resource = (input: Input) => arnOf(input.needText("Name"));
    return {
      PutParameter: {
        fields: ["Name", "Value", "Type", "KeyId", "Description", "Overwrite", "DataType"],
        resource,
        needs: (input) => this.keyNeeds("kms:Encrypt", [input.text("Type") === "SecureString" ? input.text("KeyId") : undefined]),
        run: (input) => this.put(input),
      },
      GetParameter: {
        fields: ["Name", "WithDecryption"],
        resource,
        needs: (input) => this.decryption(input, [this.parameters.find(input.needText("Name"))]),
        run: (input) => {
          const name = input.needText("Name");
          return { Parameter: this.shown(this.parameters.existing(name), input, name) };
        },
      },
      GetParameters: {
        fields: ["Names", "WithDecryption"],
        resource: (input) => (input.texts("Names") ?? []).map(arnOf),
        needs: (input) =>
          this.decryption(
            input,
            (input.texts("Names") ?? []).map((name) => this.parameters.find(name)),
          ),
        run: (input) => this.getMany(input),
      },
      GetParameterHistory: {
        fields: ["Name", "WithDecryption", "MaxResults", "NextToken"],
        resource,
        needs: (input) => this.decryption(input, [this.parameters.find(input.needText("Name"))]),
        run: (input) => this.history(input),
      },
    };
  }

  /** Customer-managed keys need a grant of their own; the account's default key does not. */
  private keyNeeds(kmsAction: string, keys: readonly (string | undefined)[]): Permission[] {
    return [...new Set(keys)].flatMap((key) => this.gate.permissionsOf({ uses: [kmsAction] }, "ssm", "", key));
  }

  private decryption(input: Input, parameters: readonly (Parameter | undefined)[]): Permission[] {
    if (input.flag("WithDecryption") !== true) return [];
    return this.keyNeeds(
      "kms:Decrypt",
      parameters.map((parameter) => parameter?.keyId),
    );
  }

  private arnOf(name: string): string {
    if (name.startsWith("arn:")) return name;
    return `arn:aws:ssm:${this.context.region}:${this.context.accountId}:parameter/${name.replace(/^\//, "")}`;
  }

  private shown(parameter: Parameter, input: Input, selector = parameter.name): object {
    const hidden = parameter.type === "SecureString" && input.flag("WithDecryption") !== true;
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

  private put(input: Input): object {
    const name = input.needText("Name");
    const dataType = input.text("DataType");
    if (dataType !== undefined && dataType !== "text")
      throw new AwsError("ValidationException", `DataType '${dataType}' is not supported locally; use 'text'.`);
    const type = input.text("Type") ?? this.parameters.find(name)?.type;
    if (type === undefined)
      throw new AwsError("ValidationException", "A parameter type is required when you create a parameter.");
    const version = this.parameters.put({
      name,
      type,
      value: input.needText("Value"),
      keyId: input.text("KeyId"),
      description: input.text("Description"),
      overwrite: input.flag("Overwrite") ?? false,
    });
    return { Version: version, Tier: "Standard" };
  }

  private getMany(input: Input): object {
    const names = input.texts("Names") ?? [];
    if (names.length === 0 || names.length > 10)
      throw new AwsError("ValidationException", `Names must have 1 to 10 entries, got ${names.length}.`);
    const found = names.map((name) => [name, this.parameters.find(name)] as const);
    return {
      Parameters: found.flatMap(([name, parameter]) => (parameter ? [this.shown(parameter, input, name)] : [])),
      InvalidParameters: found.flatMap(([name, parameter]) => (parameter ? [] : [name])),
    };
  }

  private history(input: Input): object {
    const { name } = this.parameters.existing(input.needText("Name"));
    const { items, nextToken } = pageOf(this.parameters.versions(name), input, 50);
    return {
      Parameters: items.map((parameter) => ({
        ...this.shown(parameter, input),
        Tier: "Standard",
        Policies: [],
        KeyId: parameter.keyId,
        Description: parameter.description,
      })),
      NextToken: nextToken,
    };
  }
}

function pageOf(all: readonly Parameter[], input: Input, limit: number) {
  return page(all, input.text("NextToken"), input.integer("MaxResults", 1, limit) ?? limit, "InvalidNextToken");
}
