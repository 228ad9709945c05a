/** `.local/outputs.json`: how other commands and scripts reach the running platform. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RedriveOutput } from "../stacks/redrive";
import { UsageError } from "./options";

/** The stack output of the catalog. */
export interface CatalogOutput {
  /** Of analysts. */
  readonly roleArn: string;
  readonly workgroup: string;
  readonly database: string;
}

/** Addresses and names of a running platform. All addresses are on the loopback interface. */
export interface Outputs {
  readonly stack: string;
  readonly apiUrl: string;
  /** For `AWS_ENDPOINT_URL`. */
  readonly awsEndpointUrl: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Value for the `x-api-key` header; absent when the stack's auth mode doesn't need one. */
  readonly apiKey?: string;
  /** Absent without the trigger kinesis. */
  readonly streamName?: string;
  /** Name or ARN of the bus whose events are scored; absent without the trigger eventbridge. */
  readonly incomingBus?: string;
  readonly resultsTable: string;
  readonly scoresTable: string;
  readonly dataBucket: string;
  /** What `npm run redrive` has to know. */
  readonly redrive: RedriveOutput;
  /** What `npm run query` has to know; absent when the stack has no catalog. */
  readonly catalog?: CatalogOutput;
  readonly eventBusName: string;
  /** `postgres://…`, for psql and BI tools. */
  readonly warehouseUrl: string;
  readonly loaderFunction: string;
  readonly warehouseWorkgroup: string;
  readonly warehouseDatabase: string;
  /** Names of the policies' parameters. */
  readonly leadPolicyParameter: string;
  readonly churnPolicyParameter: string;
  readonly fraudPolicyParameter: string;
  readonly devicePolicyParameter: string;
  readonly modelBucket: string;
  /** By profile: name of the parameter that says which models score. */
  readonly modelsParameters: Readonly<Record<string, string>>;
  /** This and the next ones are absent when the stack has no pipelines. */
  readonly pipelineBucket?: string;
  readonly trainingMachineArn?: string;
  readonly promotionMachineArn?: string;
  readonly inferenceMachineArn?: string;
  /** Name of the model package group by dataset. */
  readonly modelGroups?: Readonly<Record<string, string>>;
  /** Process id of the running platform. */
  readonly pid: number;
}

export const outputsFile = (folder: string = join(process.cwd(), ".local")) => join(folder, "outputs.json");

/** Reads the outputs of the running platform. @throws UsageError when none is running */
export function readOutputs(): Outputs {
  const file = outputsFile();
  const fix = "Start it in another terminal with: npm start";
  if (!existsSync(file)) throw new UsageError(`No platform is running here (${file} does not exist). ${fix}`);
  const outputs: Outputs = JSON.parse(readFileSync(file, "utf8"));
  if (!isAlive(outputs.pid)) throw new UsageError(`The platform that wrote ${file} has ended (process ${outputs.pid}). ${fix}`);
  return outputs;
}

/** The stream, for a command that sends through it. @throws UsageError when the stack has none */
export function streamOf({ streamName }: Pick<Outputs, "streamName">): string {
  if (streamName !== undefined) return streamName;
  throw new UsageError(
    "This stack has no stream, by which this command sends: add kinesis to risk:fraud.triggers, and start it again.",
  );
}

/** The outputs of a stack on AWS, from the file that `--outputs` names; nothing of it is quoted. @throws UsageError without one that can be read */
export function readStackOutputs(file: string | undefined): { readonly outputs: unknown; readonly file: string } {
  const fix = "write it with: pulumi stack output --json > outputs.json";
  if (file === undefined) throw new UsageError(`--aws needs --outputs FILE, the outputs of the stack; ${fix}`);
  if (!existsSync(file)) throw new UsageError(`--outputs: ${file} does not exist; ${fix}`);
  try {
    return { outputs: JSON.parse(readFileSync(file, "utf8")), file };
  } catch {
    throw new UsageError(`--outputs: ${file} is not JSON; ${fix}`);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
