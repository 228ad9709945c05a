/** The groups of the Model Registry, one per dataset. */
import { ModelPackageGroup } from "@pulumi/aws/sagemaker";
import * as pulumi from "@pulumi/pulumi";
import type { Account } from "../shared/account";
import { MAX_LENGTH, type Naming, physicalName } from "../shared/naming";
import type { TrainingSettings } from "./settings";

/** Group by dataset. */
export type ModelGroups = Readonly<Record<string, ModelPackageGroup>>;

/** The name of a group, and what comes before and after the dataset's name in it. */
export interface GroupName {
  readonly name: string;
  readonly prefix: string;
  readonly suffix: string;
}

export function groupName(instance: string, naming: Naming, dataset: string): GroupName {
  const name = physicalName(`${instance}-${dataset}`, naming, MAX_LENGTH.bucket);
  const prefix = `${instance}-`;
  return { name, prefix, suffix: name.slice(prefix.length + dataset.length) };
}

export function createGroups(instance: string, { datasets, context }: TrainingSettings, parent: pulumi.Resource): ModelGroups {
  const group = (dataset: string): ModelPackageGroup =>
    new ModelPackageGroup(
      `${instance}-${dataset}-models`,
      {
        modelPackageGroupName: groupName(instance, context.naming, dataset).name,
        modelPackageGroupDescription: `Trained models of dataset ${dataset}`,
      },
      { parent, protect: context.deletionProtection },
    );
  return Object.fromEntries(datasets.map(({ name }) => [name, group(name)]));
}

/** ARN of all versions in a group. */
export const versionsOf = (group: pulumi.Input<string>, { partition, region, accountId }: Account): pulumi.Output<string> =>
  pulumi.interpolate`arn:${partition}:sagemaker:${region}:${accountId}:model-package/${group}/*`;
