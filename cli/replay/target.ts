/** What replays and decisions are read from: the platform on this machine, or a stack on AWS. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { RedshiftDataClient } from "@aws-sdk/client-redshift-data";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { isObject } from "../../functions/scoring/core/json";
import { PROFILES, type ProfileId } from "../../functions/scoring/profiles";
import { UsageError } from "../options";
import { readOutputs, readStackOutputs } from "../outputs";

/** Where the account is: endpoint and credentials; empty for AWS, with credentials from the environment. Can be sent to a worker. */
export interface Account {
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Names of the stack's parts. Can be sent to a worker. */
export interface ArchiveNames {
  readonly region: string;
  readonly dataBucket: string;
  readonly modelBucket: string;
  readonly resultsTable: string;
  /** Names of parameters by profile. */
  readonly policyParameters: Readonly<Record<ProfileId, string>>;
  readonly modelsParameters: Readonly<Record<ProfileId, string>>;
  /** Absent where the stack has no warehouse. */
  readonly warehouse?: { readonly workgroupName: string; readonly database: string };
}

export interface ArchiveTarget {
  readonly names: ArchiveNames;
  readonly account: Account;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
  readonly dynamodb: DynamoDBClient;
  readonly redshiftData: RedshiftDataClient;
  close(): void;
}

/** The platform of `.local/outputs.json`, or a stack on AWS by its outputs file. @throws UsageError if there is none */
export function archiveTarget(options: { readonly aws: boolean; readonly outputsFile: string | undefined }): ArchiveTarget {
  if (!options.aws) {
    if (options.outputsFile !== undefined)
      throw new UsageError("--outputs is of a stack on AWS: add --aws, or leave it out for the platform on this machine.");
    const { accessKeyId, secretAccessKey, ...outputs } = readOutputs();
    return connectArchive(namesIn(outputs, ".local/outputs.json"), {
      endpoint: outputs.awsEndpointUrl,
      credentials: { accessKeyId, secretAccessKey },
    });
  }
  const { outputs, file } = readStackOutputs(options.outputsFile);
  return connectArchive(namesIn(outputs, file), {});
}

export function connectArchive(names: ArchiveNames, account: Account): ArchiveTarget {
  const connection = { region: names.region, ...account };
  const clients = {
    s3: new S3Client({ ...connection, forcePathStyle: account.endpoint !== undefined }),
    ssm: new SSMClient(connection),
    dynamodb: new DynamoDBClient(connection),
    redshiftData: new RedshiftDataClient(connection),
  };
  return {
    names,
    account,
    ...clients,
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

/** @throws UsageError that says which name is missing */
export function namesIn(outputs: unknown, file: string): ArchiveNames {
  const text = (holder: unknown, name: string): string => {
    const value = isObject(holder) ? holder[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
    throw new UsageError(
      `${file} has no ${name}: it was written by another version of the program. Start the platform or deploy the stack again.`,
    );
  };
  const byProfile = (nameOf: (profile: string) => string): Readonly<Record<ProfileId, string>> =>
    // Every profile has just been named.
    Object.fromEntries(Object.keys(PROFILES).map((profile) => [profile, nameOf(profile)])) as Record<ProfileId, string>;
  const models = isObject(outputs) ? outputs.modelsParameters : undefined;
  const stored = isObject(outputs) && outputs.warehouseWorkgroup !== undefined;
  return {
    region: text(outputs, "region"),
    dataBucket: text(outputs, "dataBucket"),
    modelBucket: text(outputs, "modelBucket"),
    resultsTable: text(outputs, "resultsTable"),
    policyParameters: byProfile((profile) => text(outputs, `${profile}PolicyParameter`)),
    modelsParameters: byProfile((profile) => text(models, profile)),
    ...(stored
      ? { warehouse: { workgroupName: text(outputs, "warehouseWorkgroup"), database: text(outputs, "warehouseDatabase") } }
      : {}),
  };
}
