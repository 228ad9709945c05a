/** The platform that a command works on: the one on this machine, or a stack on AWS. */

import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { isObject } from "../../functions/scoring/core/json";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { UsageError } from "../options";
import { readOutputs, readStackOutputs } from "../outputs";

export interface Target {
  readonly ssm: SSMClient;
  readonly s3: S3Client;
  readonly bucket: string;
  /** Name of the models' parameter by profile. */
  readonly parameters: Readonly<Record<ProfileId, string>>;
  close(): void;
}

/** Stack outputs with the names of parameters and bucket. */
export interface TargetNames {
  readonly modelBucket: string;
  readonly modelsParameters: Readonly<Record<ProfileId, string>>;
  readonly region: string;
}

/** The platform of `.local/outputs.json`. @throws UsageError if none is running */
export function localTarget(): Target {
  const outputs = readOutputs();
  return connectModels(namesIn(outputs, ".local/outputs.json"), {
    endpoint: outputs.awsEndpointUrl,
    credentials: { accessKeyId: outputs.accessKeyId, secretAccessKey: outputs.secretAccessKey },
  });
}

/** A stack on AWS: its outputs from a file, the credentials from the environment. */
export function awsTarget(outputsFile: string | undefined): Target {
  const { outputs, file } = readStackOutputs(outputsFile);
  return connectModels(namesIn(outputs, file), {});
}

/** @param settings endpoint and credentials; empty for AWS, with credentials from the environment */
export function connectModels(
  { modelBucket, modelsParameters, region }: TargetNames,
  settings: {
    readonly endpoint?: string;
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  },
): Target {
  const connection = { region, ...settings };
  const ssm = new SSMClient(connection);
  const s3 = new S3Client({ ...connection, forcePathStyle: settings.endpoint !== undefined });
  const close = (): void => {
    ssm.destroy();
    s3.destroy();
  };
  return { ssm, s3, bucket: modelBucket, parameters: modelsParameters, close };
}

function namesIn(outputs: unknown, file: string): TargetNames {
  const text = (holder: unknown, name: string): string => {
    const value = isObject(holder) ? holder[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
    throw new UsageError(
      `${file} has no ${name}: it was written by another version of the program. Start the platform or deploy the stack again.`,
    );
  };
  const parameters = isObject(outputs) ? outputs.modelsParameters : undefined;
  const modelsParameters = Object.fromEntries(Object.keys(PROFILES).map((id) => [id, text(parameters, id)]));
  // Every profile's name has just been read.
  return {
    modelBucket: text(outputs, "modelBucket"),
    region: text(outputs, "region"),
    modelsParameters: modelsParameters as Record<ProfileId, string>,
  };
}
