/** Which model a dataset's profile scores with: one parameter for both real time and batch. */
import * as pulumi from "@pulumi/pulumi";
import type { DatasetDocument } from "../../functions/gates/dataset";
import type { Account } from "./account";
import type { Statement } from "./iam";
import type { ServedProfile } from "./models-parameter";

/** Name of the models' parameter by dataset. */
export type PipelineModels = Readonly<Record<string, pulumi.Output<string>>>;

/**
 * The models parameter of each dataset's profile.
 * @param pipeline for messages: `TrainingPipeline "training"`
 * @throws Error when there is no dataset, or one whose profile isn't served in real time
 */
export function modelsOf(
  pipeline: string,
  datasets: readonly DatasetDocument[],
  served: readonly ServedProfile[],
): PipelineModels {
  const parameters = new Map(served.map(({ profile, modelsParameter }) => [profile, modelsParameter]));
  const unserved = datasets.filter(({ profile }) => !parameters.has(profile)).map(({ name, profile }) => `${name} (${profile})`);
  if (datasets.length === 0 || unserved.length > 0) {
    throw new Error(
      `${pipeline}: args.datasets must name at least one dataset, and args.served the profile of each` +
        `${unserved.length === 0 ? "; got none." : `; it lacks that of ${unserved.join(", ")}.`}`,
    );
  }
  return Object.fromEntries(
    datasets.flatMap(({ name, profile }) => {
      const parameter = parameters.get(profile);
      return parameter === undefined ? [] : [[name, parameter]];
    }),
  );
}

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
