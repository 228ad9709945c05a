/** The parameters that say which model a dataset's profile scores with: the pointer of both halves, real time and batch. */
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account";
import type { Statement } from "./iam";

/** Name of the models' parameter by dataset. */
export type PipelineModels = Readonly<Record<string, pulumi.Output<string>>>;

/** The environment variable MODELS_PARAMETERS. */
export const modelsParametersJson = (models: PipelineModels): pulumi.Output<string> => pulumi.jsonStringify(models);

export function parameterStatement(
  sid: string,
  actions: readonly ("ssm:GetParameter" | "ssm:PutParameter")[],
  models: PipelineModels,
  { partition, region, accountId }: Account,
): Statement {
  return {
    sid,
    actions,
    // The names begin with a slash.
    resources: Object.values(models).map(
      (name) => pulumi.interpolate`arn:${partition}:ssm:${region}:${accountId}:parameter${name}`,
    ),
  };
}
