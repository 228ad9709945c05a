/** Models: an archive in S3 with the role and the variables of its container. */

import { messageOf } from "@risk/program-graph";
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import type { JobPorts } from "../jobs/ports";
import { s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { ignored, only, read, resourceName, structure, text, textMap } from "./request";

export interface Model {
  readonly roleArn: string;
  readonly dataUrl: string;
  readonly environment: Readonly<Record<string, string>>;
}

const MODEL = {
  ModelName: resourceName,
  ExecutionRoleArn: text,
  PrimaryContainer: structure({ Image: text, ModelDataUrl: text, Environment: textMap }),
  EnableNetworkIsolation: only(true),
  Tags: ignored,
};
/** Where an isolated container finds its source, in the model's own archive. */
const CODE = "/opt/ml/model/code";

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
    return {
      CreateModel: {
        fields: Object.keys(MODEL),
        resource: (input) => this.arnOf(input.needText("ModelName")),
        run: (input) => this.create(input),
      },
    };
  }

  private create(input: Input): object {
    const { ModelName: name, ExecutionRoleArn: roleArn, PrimaryContainer: container } = read(MODEL, input);
    if (this.store.get(name) !== undefined)
      throw new AwsError("ValidationException", `Cannot create already existing model "${this.arnOf(name)}".`);
    const { ModelDataUrl: dataUrl, Environment: environment } = container;
    if ((environment.SAGEMAKER_PROGRAM ?? "") === "" || environment.SAGEMAKER_SUBMIT_DIRECTORY !== CODE)
      throw input.error(
        `PrimaryContainer.Environment needs SAGEMAKER_PROGRAM, and ${CODE} as SAGEMAKER_SUBMIT_DIRECTORY: on one machine a model is served by a script of yours (script mode), and an isolated container cannot download it`,
      );
    this.requireData(dataUrl, roleArn);
    this.store.put(name, { roleArn, dataUrl, environment });
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
      return messageOf(error);
    }
  }
}
