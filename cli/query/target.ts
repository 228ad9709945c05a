/** The catalog that a query is for: that of the platform on this machine or of a stack on AWS, with the rights of its analysts. */
import { AthenaClient } from "@aws-sdk/client-athena";
import { isObject } from "../../functions/scoring/core/json";
import { type Account, assumeRole } from "../account";
import { UsageError } from "../options";
import { type CatalogOutput, readOutputs, readStackOutputs } from "../outputs";

export interface QueryTarget {
  readonly athena: AthenaClient;
  readonly workgroup: string;
  readonly database: string;
  /** Interval at which a running query is polled. */
  readonly pollMs: number;
  close(): void;
}

/** The platform of `.local/outputs.json`, or a stack on AWS by its outputs file. @throws UsageError if there is none */
export async function queryTarget(options: {
  readonly aws: boolean;
  readonly outputsFile: string | undefined;
}): Promise<QueryTarget> {
  if (options.aws) return connectQuery(readStackOutputs(options.outputsFile).outputs, {});
  if (options.outputsFile !== undefined)
    throw new UsageError("--outputs is of a stack on AWS: add --aws, or leave it out to query the platform on this machine.");
  const outputs = readOutputs();
  const { awsEndpointUrl: endpoint, accessKeyId, secretAccessKey } = outputs;
  return connectQuery(outputs, { endpoint, credentials: { accessKeyId, secretAccessKey } });
}

interface StackOutputs {
  readonly region?: string;
  readonly catalog?: CatalogOutput;
}

export async function connectQuery(outputs: unknown, account: Account): Promise<QueryTarget> {
  // The outputs of our own program have the types that it exports.
  const { region, catalog } = (isObject(outputs) ? outputs : {}) as StackOutputs;
  if (region === undefined || catalog === undefined)
    throw new UsageError(
      "The stack has no catalog. Set catalog.enabled in its config, then start the platform or deploy the stack again.",
    );
  const credentials = await assumeRole(catalog.roleArn, "query", { region, ...account });
  const athena = new AthenaClient({ region, ...account, credentials });
  const pollMs = account.endpoint === undefined ? 1000 : 50;
  return { athena, workgroup: catalog.workgroup, database: catalog.database, pollMs, close: () => athena.destroy() };
}
