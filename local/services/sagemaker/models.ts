/** Models: an archive in S3 with the role and the variables of its container. */
import { AwsError } from "../../contracts";
import { Documents } from "../jobs/documents";
import type { JobPorts } from "../jobs/ports";
import { s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { nameIn, oneOf, plainText } from "./checks";
import { LIST_FIELDS, listing } from "./listing";

export interface Model {
  readonly name: string;
  readonly roleArn: string;
  readonly dataUrl: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly networkIsolation: boolean;
  /** Members of the request that Describe tells again. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const FIELDS = [
  "ModelName",
  "PrimaryContainer",
  "ExecutionRoleArn",
  "EnableNetworkIsolation",
  // Of the cloud: networks, billing.
  "VpcConfig",
  "Tags",
];

export class Models {
  private readonly store: Documents<Model>;

  constructor(private readonly ports: JobPorts) {
    this.store = new Documents(ports.context.db, "sagemaker_models");
  }

  arnOf(name: string): string {
    const { region, accountId } = this.ports.context;
    return `arn:aws:sagemaker:${region}:${accountId}:model/${name}`;
  }

  /** @throws AwsError ValidationException */
  get(name: string): Model {
    const model = this.store.get(name);
    if (model !== undefined) return model;
    throw new AwsError("ValidationException", `Could not find model "${this.arnOf(name)}".`);
  }

  operations(): Record<string, Operation> {
    const arn = (input: Input) => this.arnOf(input.needText("ModelName"));
    return {
      CreateModel: { fields: FIELDS, resource: arn, run: (input) => this.create(input) },
      DescribeModel: {
        fields: ["ModelName"],
        resource: arn,
        run: (input) => this.describe(this.get(input.needText("ModelName"))),
      },
      DeleteModel: {
        fields: ["ModelName"],
        resource: arn,
        run: (input) => {
          this.store.delete(this.get(input.needText("ModelName")).name);
          return {};
        },
      },
      ListModels: { fields: LIST_FIELDS, resource: () => "*", run: (input) => this.list(input) },
    };
  }

  private create(input: Input): object {
    const name = nameIn(input, "ModelName");
    if (this.store.get(name) !== undefined)
      throw new AwsError("ValidationException", `Cannot create already existing model "${this.arnOf(name)}".`);
    const container = input.child("PrimaryContainer", ["Image", "ModelDataUrl", "Environment", "Mode", "ContainerHostname"]);
    if (container === undefined) throw input.error("PrimaryContainer is required: on one machine a model has one container");
    container.needText("Image");
    oneOf(container, "Mode", ["SingleModel"]);
    const environment = container.textMap("Environment") ?? {};
    if ([environment.SAGEMAKER_PROGRAM, environment.SAGEMAKER_SUBMIT_DIRECTORY].some((value) => (plainText(value) ?? "") === ""))
      throw input.error(
        "PrimaryContainer.Environment needs SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY: on one machine a model is served by a script of yours (script mode)",
      );
    const dataUrl = container.needText("ModelDataUrl");
    const roleArn = input.needText("ExecutionRoleArn");
    this.requireData(dataUrl, roleArn);
    const now = this.ports.context.clock.now();
    this.store.put(name, {
      name,
      roleArn,
      dataUrl,
      environment,
      networkIsolation: input.flag("EnableNetworkIsolation") ?? false,
      request: Object.fromEntries(
        FIELDS.filter((field) => field !== "Tags" && input.has(field)).map((field) => [field, input.raw(field)]),
      ),
      createdMs: now,
      modifiedMs: now,
    });
    return { ModelArn: this.arnOf(name) };
  }

  /** SageMaker looks for the archive with the model's role. */
  private requireData(dataUrl: string, roleArn: string): void {
    this.ports.credentials(roleArn, "sagemaker.amazonaws.com", "SageMaker");
    const problem = this.problemOf(dataUrl, roleArn);
    if (problem !== undefined)
      throw new AwsError(
        "ValidationException",
        `Could not find model data at ${dataUrl}: ${problem}. It must exist, and ${roleArn} needs s3:GetObject on it.`,
      );
  }

  private problemOf(dataUrl: string, roleArn: string): string | undefined {
    try {
      const found = this.ports.s3(roleArn, "SageMaker").exists(s3Location(dataUrl, "ModelDataUrl"));
      return found ? undefined : "there is no such object";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private describe(model: Model): object {
    return {
      EnableNetworkIsolation: false,
      ...model.request,
      ModelArn: this.arnOf(model.name),
      CreationTime: new Date(model.createdMs),
    };
  }

  private list(input: Input): object {
    const { items, ...rest } = listing(this.store.all(), input);
    const summaries = items.map(({ name, createdMs }) => ({
      ModelName: name,
      ModelArn: this.arnOf(name),
      CreationTime: new Date(createdMs),
    }));
    return { Models: summaries, ...rest };
  }
}
