/** The states of a promotion: compile and verify, start the canary, check it, make it the champion. Each may run any number of times. */
import { createHash } from "node:crypto";
import { modelKey } from "../../scoring/models/artifact-key";
import { refName } from "../../scoring/models/document";
import type { Log } from "../../shared/log";
import { compileModel, goldenDifference, openModelArchive, requireLoadable } from "../common/artifact";
import { fail } from "../common/errors";
import type { Conversion } from "../common/events";
import { modelTarKey } from "../common/keys";
import { championName, currentModels, type ModelsAccess } from "../common/models-parameter";
import type { Objects } from "../common/ports";
import { loadDataset } from "../common/read-dataset";
import type { HealthReader } from "./health";
import { type ConvertRequest, type PromotionRequest, type RolloutRequest, readPromotion } from "./request";
import { createRollout } from "./rollout";

export interface ConvertResult extends Conversion {
  readonly modelName: string;
  readonly bytes: number;
  readonly trees: number;
  /** Rows whose margins were compared. */
  readonly goldenRows: number;
  readonly alreadyChampion: boolean;
}

export interface CanaryResult {
  /** False when there was nothing to do. */
  readonly changed: boolean;
  readonly champion: string;
  readonly percent: number;
  readonly parameterVersion: number;
  readonly detail: string;
}

export interface CheckResult {
  readonly healthy: true;
  readonly detail: string;
}

export interface FlipResult {
  readonly changed: boolean;
  readonly champion: string;
  readonly previousChampion: string;
  readonly parameterVersion: number;
  /** Version of the parameter that a rollback returns to. */
  readonly previousParameterVersion: number;
  readonly detail: string;
}

export type PromotionResult = ConvertResult | CanaryResult | CheckResult | FlipResult;
export type PromotionHandler = (event: unknown) => Promise<PromotionResult>;

export interface PromotionArgs {
  readonly objects: Objects;
  /** Bucket of compiled models. */
  readonly modelObjects: Pick<Objects, "bucket" | "bytes" | "putIfAbsent">;
  readonly models: ModelsAccess;
  /** Share of records, 0 to 100, that the challenger answers before it becomes the champion. */
  readonly canaryPercent: number;
  readonly health: HealthReader;
  readonly log: Log;
}

/** One or two failures may be a brief fault of SSM or S3, which the next read gets over. */
const MAX_REFRESH_FAILURES = 2;

/**
 * Throws `ModelArtifactInvalid`, `GoldenRowsDiffer`, `CanaryFailed`, `PromotionSuperseded`, `InvalidInput`, `InvalidDataset` and
 * `ModelsParameterInvalid`. None of them changes the champion.
 */
export function createPromotionHandler(args: PromotionArgs): PromotionHandler {
  return async (event) => {
    const request = readPromotion(event);
    const result = await act(args, request);
    const { action, dataset, modelName } = request;
    args.log.info("promotion", { action, dataset, model: modelName });
    return result;
  };
}

function act(args: PromotionArgs, request: PromotionRequest): Promise<PromotionResult> {
  switch (request.action) {
    case "convert":
      return convert(args, request);
    case "canary":
      return canary(args, request);
    case "check":
      return check(args, request);
    case "flip":
      return flip(args, request);
  }
}

async function convert(
  { objects, modelObjects, models }: PromotionArgs,
  { dataset, modelName }: ConvertRequest,
): Promise<ConvertResult> {
  const document = await loadDataset(objects, dataset);
  const { profile } = document;
  const [archive, current] = await Promise.all([
    openModelArchive(objects, modelTarKey(dataset, modelName), document),
    currentModels(models, dataset, profile),
  ]);
  const model = compileModel(archive);
  const difference = goldenDifference(model, archive.golden);
  if (difference !== undefined) {
    fail(
      "GoldenRowsDiffer",
      `${archive.where}: ${difference}. "${championName(current)}" stays the champion. The archive was changed after its evaluation, or this version compiles it differently: train again.`,
    );
  }
  requireLoadable(model, modelName, profile, archive.where);
  const { document: now } = current;
  const taken = [...now.chain, ...(now.challengers ?? []).map((challenger) => challenger.model)].find(
    (ref) => refName(ref) === modelName,
  );
  if (taken !== undefined && (taken.kind !== "trees" || taken.sha256 !== model.sha256)) {
    fail(
      "ModelArtifactInvalid",
      `${archive.where}: profile "${profile}" has another model named "${modelName}", and a name stands for one content. Train again, which gives a new name.`,
    );
  }
  const key = modelKey(profile, model.sha256);
  await modelObjects.putIfAbsent(key, model.image, { profile, name: modelName });
  return {
    profile,
    modelName,
    key,
    sha256: model.sha256,
    bytes: model.image.length,
    trees: model.evaluator.description.trees,
    goldenRows: archive.golden.rows.length,
    champion: championName(current),
    parameterVersion: current.version,
    alreadyChampion: championName(current) === modelName,
  };
}

async function canary(
  { models, canaryPercent }: PromotionArgs,
  { dataset, modelName, conversion }: RolloutRequest,
): Promise<CanaryResult> {
  const rollout = createRollout(models, dataset, modelName, conversion);
  const { current, isChampion, percent } = await rollout.situation();
  const champion = championName(current);
  const unchanged = { changed: false, champion, percent: percent ?? 0, parameterVersion: current.version };
  if (isChampion) return { ...unchanged, detail: `"${modelName}" is the champion already; nothing was changed` };
  if (percent === canaryPercent)
    return { ...unchanged, detail: `"${modelName}" answers ${percent} % already; nothing was changed` };
  const parameterVersion = await rollout.challenge(current, canaryPercent);
  const detail = `"${modelName}" answers ${canaryPercent} % of the records beside "${champion}" and scores the others in shadow`;
  return { changed: true, champion, percent: canaryPercent, parameterVersion, detail };
}

async function check(args: PromotionArgs, request: RolloutRequest): Promise<CheckResult> {
  const { modelObjects, models, health } = args;
  const { dataset, modelName, conversion } = request;
  const { profile, key, sha256 } = conversion;
  const rollout = createRollout(models, dataset, modelName, conversion);
  const { current, isChampion, percent } = await rollout.situation();
  if (isChampion) return { healthy: true, detail: `"${modelName}" is the champion already` };
  const failed = (problem: string): Promise<never> =>
    rollout.abandon(current, { name: "CanaryFailed", message: `${problem} "${championName(current)}" stays the champion.` });
  if (percent === undefined) return failed(withdrawnMeanwhile(modelName, profile));

  const image = await modelObjects.bytes(key);
  const where = `s3://${modelObjects.bucket}/${key}`;
  if (image === undefined || !isContent(image, sha256))
    return failed(
      `${where} is ${image === undefined ? "gone" : "no longer the content that was verified"}: start the promotion again.`,
    );
  const reports = await health(profile, modelName, current.modifiedAtMs);
  if (reports === undefined)
    return { healthy: true, detail: `${where} is as it was verified; the functions' metrics were not looked at` };
  const { modelFailures, refreshFailures } = reports;
  if (modelFailures > 0)
    return failed(
      `"${modelName}" failed on ${modelFailures} records since it was put beside the champion: see the functions' log (model_failed).`,
    );
  if (refreshFailures > MAX_REFRESH_FAILURES) {
    return failed(
      `Functions of profile "${profile}" could not take over the models parameter ${refreshFailures} times since "${modelName}" was put beside the champion: see their log (model_refresh_failed).`,
    );
  }
  return { healthy: true, detail: `${where} is as it was verified, and no function reported a failure of "${modelName}"` };
}

async function flip({ models }: PromotionArgs, { dataset, modelName, conversion }: RolloutRequest): Promise<FlipResult> {
  const { profile, champion: previousChampion, parameterVersion: previousParameterVersion } = conversion;
  const rollout = createRollout(models, dataset, modelName, conversion);
  const { current, isChampion, percent } = await rollout.situation();
  const result = { champion: modelName, previousChampion, previousParameterVersion };
  if (isChampion) {
    return {
      ...result,
      changed: false,
      parameterVersion: current.version,
      detail: `"${modelName}" is the champion already; nothing was changed`,
    };
  }
  if (percent === undefined)
    fail("CanaryFailed", `${withdrawnMeanwhile(modelName, profile)} "${championName(current)}" stays the champion.`);
  const parameterVersion = await rollout.promote(current);
  const detail = `"${modelName}" is the champion of profile "${profile}" as soon as functions read the parameter again (risk:policyTtlSeconds). Back to "${previousChampion}": npm run model -- rollback --profile ${profile} --to ${previousParameterVersion}`;
  return { ...result, changed: true, parameterVersion, detail };
}

const withdrawnMeanwhile = (modelName: string, profile: string): string =>
  `"${modelName}" is no longer a challenger of profile "${profile}": somebody withdrew it. If it is still wanted, approve it again.`;

const isContent = (bytes: Uint8Array, sha256: string): boolean => createHash("sha256").update(bytes).digest("hex") === sha256;
