/** Where features are exported from: the archive of the platform on this machine or of a stack on AWS, read with the role of analysts. */
import { S3Client } from "@aws-sdk/client-s3";
import { isObject } from "../../functions/scoring/core/json";
import { type Account, assumeRole } from "../account";
import { UsageError } from "../options";
import { type CatalogOutput, readOutputs, readStackOutputs } from "../outputs";

export interface FeaturesTarget {
  readonly s3: S3Client;
  readonly bucket: string;
}

interface StackOutputs {
  readonly region?: string;
  readonly dataBucket?: string;
  readonly catalog?: CatalogOutput;
}

/** The platform of `.local/outputs.json`, or a stack on AWS by its outputs file. @throws UsageError if there is none */
export async function featuresTarget(options: {
  readonly aws: boolean;
  readonly outputsFile: string | undefined;
}): Promise<FeaturesTarget> {
  if (options.aws) return connectFeatures(readStackOutputs(options.outputsFile).outputs, {});
  if (options.outputsFile !== undefined)
    throw new UsageError("--outputs is of a stack on AWS: add --aws, or leave it out to read the archive on this machine.");
  const outputs = readOutputs();
  const { awsEndpointUrl: endpoint, accessKeyId, secretAccessKey } = outputs;
  return connectFeatures(outputs, { endpoint, credentials: { accessKeyId, secretAccessKey } });
}

export async function connectFeatures(outputs: unknown, account: Account): Promise<FeaturesTarget> {
  // The outputs of our own program have the types that it exports.
  const { region, dataBucket, catalog } = (isObject(outputs) ? outputs : {}) as StackOutputs;
  if (region === undefined || dataBucket === undefined || catalog === undefined)
    throw new UsageError(
      "The stack has no catalog, whose analysts read the archive. Set catalog.enabled in its config, then start the platform or deploy the stack again.",
    );
  const credentials = await assumeRole(catalog.roleArn, "features", { region, ...account });
  const s3 = new S3Client({ region, ...account, credentials, forcePathStyle: account.endpoint !== undefined });
  return { s3, bucket: dataBucket };
}
