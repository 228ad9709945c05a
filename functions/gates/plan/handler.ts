/** First state of both pipelines: checks the request and says what the later states work on. */
import type { Log } from "../../shared/log";
import { fail } from "../common/errors";
import { modelTarKey, sourcePrefix } from "../common/keys";
import { championName, currentModels, type ModelsAccess } from "../common/models-parameter";
import type { Objects } from "../common/ports";
import { loadDataset } from "../common/read-dataset";
import { type InferencePlan, planInference, planTraining, type TrainingPlan } from "./plan";
import { readRequest } from "./request";

export interface PlanArgs {
  readonly objects: Objects;
  readonly models: ModelsAccess;
  /** Days that one execution may score. */
  readonly maxDays: number;
  readonly log: Log;
}

export type PlanHandler = (event: unknown) => Promise<TrainingPlan | InferencePlan>;

/** Throws `InvalidInput`, `InvalidDataset`, `ModelsParameterInvalid` or `NoTrainedModel`. */
export function createPlanHandler({ objects, models, maxDays, log }: PlanArgs): PlanHandler {
  async function checkFile(file: string, dataset: string, isFilesOnly: boolean): Promise<void> {
    const where = `s3://${objects.bucket}/`;
    if (file === "" && isFilesOnly) {
      fail(
        "InvalidInput",
        `file: dataset "${dataset}" learns from files, so an execution has to name one: upload it below ${where}${sourcePrefix(dataset)} and give its key.`,
      );
    }
    if (file !== "" && (await objects.size(file)) === undefined)
      fail("InvalidInput", `file: there is no ${where}${file}; upload it, or correct the key.`);
  }

  async function checkTrained(dataset: string, profile: string, champion: string): Promise<void> {
    const key = modelTarKey(dataset, champion);
    if ((await objects.size(key)) !== undefined) return;
    fail(
      "NoTrainedModel",
      `The champion of profile "${profile}" is "${champion}", which no training pipeline made (there is no s3://${objects.bucket}/${key}), so it cannot score in batch. ` +
        `Train one with: npm run pipeline -- training --dataset ${dataset}, then approve it with: npm run model -- approve VERSION`,
    );
  }

  return async (event) => {
    const { request, execution } = readRequest(event, { datasets: Object.keys(models.names), maxDays });
    const { dataset, file } = request;
    const document = await loadDataset(objects, dataset);
    const [current] = await Promise.all([
      currentModels(models, dataset, document.profile),
      checkFile(file, dataset, document.source.kind === "files"),
    ]);
    const champion = championName(current);
    const circumstances = { bucket: objects.bucket, execution, document, champion };
    if (request.pipeline === "training") {
      const plan = planTraining(request, circumstances);
      log.info("planned", { pipeline: "training", dataset, model: plan.modelName, asOf: plan.asOf });
      return plan;
    }
    await checkTrained(dataset, document.profile, champion);
    log.info("planned", { pipeline: "inference", dataset, model: champion, days: request.dates.length });
    return planInference(request, circumstances);
  };
}
