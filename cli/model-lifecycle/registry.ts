/** `versions`, `approve`, `reject` and `clear`: lists what training registered, and records a person's decision. */
import { setTimeout as pause } from "node:timers/promises";
import { type Parsed, UsageError } from "../options";
import { messageOf } from "../pipelines/events";
import { follow } from "../pipelines/follow";
import {
  approve as approveModel,
  decide,
  type RegisteredModel,
  registeredModel,
  registeredModels,
  remove,
} from "../pipelines/registry";
import { type PipelineTarget, pipelineTarget } from "../pipelines/target";
import { table } from "../terminal";

const ACTIONS = ["versions", "approve", "reject", "clear"] as const;
export type RegistryAction = (typeof ACTIONS)[number];

export const isRegistryAction = (action: string | undefined): action is RegistryAction =>
  ACTIONS.some((known) => known === action);

type Print = (line: string) => void;

/** Connects, runs an action and prints. @returns the exit status: 1 if a promotion failed. @throws UsageError for a wrong call */
export async function registry(action: RegistryAction, parsed: Parsed, print: Print): Promise<number> {
  const target = pipelineTarget({ aws: parsed.flag("aws"), outputsFile: parsed.text("outputs") });
  try {
    return await runRegistry(target, action, parsed, print);
  } finally {
    target.close();
  }
}

/** Like {@link registry}, on a platform that is already connected. */
export async function runRegistry(target: PipelineTarget, action: RegistryAction, parsed: Parsed, print: Print): Promise<number> {
  const dataset = parsed.text("dataset");
  const [, wanted, ...rest] = parsed.positionals;
  if (rest.length > 0) throw new UsageError(`${action}: expected at most one version, got "${[wanted, ...rest].join(" ")}".`);
  if (action === "versions") {
    const models = await registeredModels(target, dataset);
    print(parsed.flag("json") ? JSON.stringify(models, null, 2) : versionsTable(models));
    return 0;
  }
  if (action === "clear") return clear(target, dataset, parsed, print);
  if (wanted === undefined) throw new UsageError(`${action}: expected a model's name or version. See npm run model -- versions`);
  const model = await registeredModel(target, wanted, dataset);
  const reason = parsed.text("reason") ?? `npm run model -- ${action}`;
  if (action === "reject") {
    await decide(target, model, "Rejected", reason);
    print(parsed.flag("json") ? JSON.stringify({ ...model, status: "Rejected" }, null, 2) : `${model.modelName}: rejected.`);
    return 0;
  }
  return approve(target, model, reason, parsed, print);
}

async function approve(
  target: PipelineTarget,
  model: RegisteredModel,
  reason: string,
  parsed: Parsed,
  print: Print,
): Promise<number> {
  const asJson = parsed.flag("json");
  const execution = await approveModel(target, model, reason, pause);
  if (!asJson) print(`${model.modelName}: approved. Its promotion:`);
  if (execution === undefined) {
    throw new UsageError(
      "The approval started no promotion within a minute; check the EventBridge rule of the training pipeline.",
    );
  }
  const outcome = await follow(target.sfn, execution, { print: asJson ? () => undefined : print, pollMs: target.pollMs, pause });
  if (asJson) print(JSON.stringify({ ...model, status: "Approved", promotion: outcome }, null, 2));
  else if (outcome.status === "SUCCEEDED")
    print(`${model.modelName} is the champion now. To go back: npm run model -- rollback --profile ${model.dataset}`);
  else
    print(
      `The promotion ended as ${outcome.status}; the champion stays. ${outcome.error ?? ""} ${messageOf(outcome.cause) ?? ""}`.trimEnd(),
    );
  return outcome.status === "SUCCEEDED" ? 0 : 1;
}

/** A group with versions can't be deleted, and a stack with such a group can't be destroyed. */
async function clear(target: PipelineTarget, dataset: string | undefined, parsed: Parsed, print: Print): Promise<number> {
  if (parsed.positionals.length > 1)
    throw new UsageError("clear: deletes all versions, of one dataset with --dataset. To reject a single version, use reject.");
  const models = await registeredModels(target, dataset);
  if (!parsed.flag("yes")) {
    if (models.length > 0) print(versionsTable(models));
    throw new UsageError(
      `clear: this would delete these ${models.length} versions from the registry for good. Confirm with --yes.`,
    );
  }
  for (const model of models) await remove(target, model);
  print(parsed.flag("json") ? JSON.stringify(models, null, 2) : `${models.length} versions deleted from the registry.`);
  return 0;
}

function versionsTable(models: readonly RegisteredModel[]): string {
  if (models.length === 0) return "Nothing is registered yet. Train a model: npm run pipeline -- training";
  return table(
    ["dataset", "version", "model", "status", "registered"],
    models.map(({ dataset, version, modelName, status, createdAt }) => [dataset, version, modelName, status, createdAt]),
  );
}
