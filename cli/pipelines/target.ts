/** The pipelines that a command works on: those of the platform on this machine, or of a stack on AWS. */

import { S3Client } from "@aws-sdk/client-s3";
import { SageMakerClient } from "@aws-sdk/client-sagemaker";
import { SFNClient } from "@aws-sdk/client-sfn";
import { isObject } from "../../functions/scoring/core/json";
import { UsageError } from "../options";
import { readOutputs, readStackOutputs } from "../outputs";

export const PIPELINES = ["training", "inference"] as const;
export type PipelineName = (typeof PIPELINES)[number];

export interface PipelineTarget {
  readonly sfn: SFNClient;
  readonly sagemaker: SageMakerClient;
  readonly s3: S3Client;
  readonly bucket: string;
  /** ARNs. */
  readonly machines: Readonly<Record<PipelineName | "promotion", string>>;
  /** Name of the model package group by dataset. */
  readonly groups: Readonly<Record<string, string>>;
  /** Interval at which a running execution is polled. */
  readonly pollMs: number;
  close(): void;
}

/** The platform of `.local/outputs.json`, or a stack on AWS by its outputs file. @throws UsageError if there is none */
export function pipelineTarget(options: { readonly aws: boolean; readonly outputsFile: string | undefined }): PipelineTarget {
  if (!options.aws) {
    const outputs = readOutputs();
    const { accessKeyId, secretAccessKey } = outputs;
    return connectPipelines(outputs, ".local/outputs.json", {
      endpoint: outputs.awsEndpointUrl,
      credentials: { accessKeyId, secretAccessKey },
    });
  }
  const { outputs, file } = readStackOutputs(options.outputsFile);
  return connectPipelines(outputs, file, {});
}

/** @param settings endpoint and credentials; empty for AWS, with credentials from the environment */
export function connectPipelines(
  outputs: unknown,
  file: string,
  settings: {
    readonly endpoint?: string;
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  },
): PipelineTarget {
  const names = isObject(outputs) ? outputs : {};
  const text = (name: string): string => {
    const value = names[name];
    if (typeof value === "string" && value !== "") return value;
    throw new UsageError(
      `${file} has no ${name}: the stack has no pipelines. Set pipelines.enabled in its config, then start the platform or deploy the stack again.`,
    );
  };
  const connection = { region: text("region"), ...settings };
  const sfn = new SFNClient(connection);
  const sagemaker = new SageMakerClient(connection);
  const s3 = new S3Client({ ...connection, forcePathStyle: settings.endpoint !== undefined });
  const groups = isObject(names.modelGroups) ? names.modelGroups : {};
  return {
    sfn,
    sagemaker,
    s3,
    bucket: text("pipelineBucket"),
    machines: {
      training: text("trainingMachineArn"),
      promotion: text("promotionMachineArn"),
      inference: text("inferenceMachineArn"),
    },
    groups: Object.fromEntries(Object.entries(groups).map(([dataset, group]) => [dataset, String(group)])),
    pollMs: settings.endpoint === undefined ? 5000 : 300,
    close: () => {
      sfn.destroy();
      sagemaker.destroy();
      s3.destroy();
    },
  };
}
