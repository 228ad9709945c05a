/** Versions in the model registry: what training registered, and whether a person approved it. */
import {
  DeleteModelPackageCommand,
  DescribeModelPackageCommand,
  ListModelPackagesCommand,
  type ModelApprovalStatus,
  UpdateModelPackageCommand,
} from "@aws-sdk/client-sagemaker";
import { DescribeExecutionCommand, ListExecutionsCommand } from "@aws-sdk/client-sfn";
import { UsageError } from "../options";
import type { PipelineTarget } from "./target";

export interface RegisteredModel {
  readonly dataset: string;
  readonly version: number;
  readonly modelName: string;
  readonly status: ModelApprovalStatus;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly arn: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Newest first, of one dataset or all. @throws UsageError for a dataset without a registry */
export async function registeredModels(target: PipelineTarget, dataset?: string): Promise<RegisteredModel[]> {
  const datasets = dataset === undefined ? Object.keys(target.groups) : [dataset];
  const lists = await Promise.all(datasets.map((name) => modelsOf(target, name)));
  return lists.flat().sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
}

async function modelsOf({ sagemaker, groups }: PipelineTarget, dataset: string): Promise<RegisteredModel[]> {
  const group = groups[dataset];
  if (group === undefined) {
    throw new UsageError(`--dataset: expected ${Object.keys(groups).join(", ")}, got "${dataset}".`);
  }
  const models: RegisteredModel[] = [];
  let token: string | undefined;
  do {
    const page = await sagemaker.send(
      new ListModelPackagesCommand({ ModelPackageGroupName: group, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    for (const { ModelPackageArn: arn } of page.ModelPackageSummaryList ?? []) {
      if (arn === undefined) continue;
      const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
      const properties = found.CustomerMetadataProperties ?? {};
      models.push({
        dataset,
        version: found.ModelPackageVersion ?? 0,
        modelName: properties.modelName ?? "",
        status: found.ModelApprovalStatus ?? "PendingManualApproval",
        createdAt: found.CreationTime?.toISOString() ?? "",
        arn,
        properties,
      });
    }
    token = page.NextToken;
  } while (token !== undefined);
  return models;
}

/**
 * A registered model by its name, or by its version in the dataset's registry.
 * @throws UsageError that lists the registered models
 */
export async function registeredModel(target: PipelineTarget, wanted: string, dataset?: string): Promise<RegisteredModel> {
  const models = await registeredModels(target, dataset);
  const found = models.filter(({ modelName, version }) => modelName === wanted || String(version) === wanted);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const known = models.map((model) => `${model.modelName} (${model.dataset} ${model.version})`).join(", ") || "none";
  throw new UsageError(
    second === undefined
      ? `There is no registered model "${wanted}". Registered: ${known}. Train one: npm run pipeline -- training`
      : `"${wanted}" is a version of several datasets; choose one with --dataset: ${found.map((model) => model.dataset).join(", ")}.`,
  );
}

/** Writes the decision into the registry. Every approval starts a promotion. */
export async function decide(
  { sagemaker }: PipelineTarget,
  model: RegisteredModel,
  status: "Approved" | "Rejected",
  reason: string,
): Promise<void> {
  await sagemaker.send(
    new UpdateModelPackageCommand({ ModelPackageArn: model.arn, ModelApprovalStatus: status, ApprovalDescription: reason }),
  );
}

/** Deletes a version from the registry. Its files, and a champion that was compiled from it, stay. */
export async function remove({ sagemaker }: PipelineTarget, model: RegisteredModel): Promise<void> {
  await sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName: model.arn }));
}

/**
 * Approves a model and finds the promotion that this starts, by the version in its input: other promotions may be running.
 * @returns the execution's ARN; undefined when none appears within `patienceMs`
 */
export async function approve(
  target: PipelineTarget,
  model: RegisteredModel,
  reason: string,
  pause: (milliseconds: number) => Promise<void>,
  patienceMs: number = 60_000,
): Promise<string | undefined> {
  const known = new Set(await promotions(target));
  await decide(target, model, "Approved", reason);
  for (let waited = 0; waited <= patienceMs; waited += target.pollMs) {
    for (const executionArn of await promotions(target)) {
      if (known.has(executionArn)) continue;
      const { input = "" } = await target.sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (input.includes(`"${model.arn}"`)) return executionArn;
      known.add(executionArn);
    }
    await pause(target.pollMs);
  }
  return undefined;
}

/** ARNs of the latest promotions. */
async function promotions({ sfn, machines }: PipelineTarget): Promise<string[]> {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: machines.promotion, maxResults: 50 }));
  return executions.flatMap(({ executionArn }) => (executionArn === undefined ? [] : [executionArn]));
}
