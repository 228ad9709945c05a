/** The complete settings of a training pipeline: defaults are filled in, values checked, and missing parts created. */
import type * as pulumi from "@pulumi/pulumi";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { currentAccount } from "../shared/account";
import { platformContext } from "../shared/context";
import type { ModelStore } from "../shared/model-store";
import type { ServedProfile } from "../shared/models-parameter";
import { checkSources, GLUE, type Schedule } from "../shared/pipeline-args";
import { xgboostImage } from "../shared/pipeline-image";
import { modelsOf } from "../shared/pipeline-models";
import { PipelineStore } from "../shared/pipeline-store";
import type { Canary, TrainingJob, TrainingPipelineArgs } from "./args";

const SCHEDULE: Schedule = { cron: "cron(0 2 1,15 * ? *)", enabled: true };
const TRAINING: TrainingJob = {
  instanceType: "ml.m5.xlarge",
  volumeGb: 30,
  maxRuntimeMinutes: 120,
  spot: { enabled: false },
};
const CANARY: Canary = { percent: 10, minutes: 30 };
const SERVING_INSTANCE_TYPE = "ml.m5.xlarge";
const LATE_MINUTES = 360;

export type TrainingSettings = ReturnType<typeof trainingSettings>;

export function trainingSettings(instance: string, args: TrainingPipelineArgs, parent: pulumi.Resource) {
  const { datasets, served } = args;
  checkSources(`TrainingPipeline "${instance}"`, args);
  const models = modelsOf(`TrainingPipeline "${instance}"`, datasets, served);
  const training = { ...TRAINING, ...args.training };
  checkWait(instance, training);
  const context = platformContext(instance, args.context, parent);
  const account = currentAccount(parent);
  return {
    context,
    account,
    datasets,
    models,
    modelStore: modelStoreOf(instance, datasets, served),
    metricNamespaces: Object.fromEntries(served.map(({ profile, metricNamespace }) => [profile, metricNamespace])),
    store: args.store ?? new PipelineStore(`${instance}-store`, { context, datasets }, { parent }),
    image: account.region.apply(xgboostImage),
    warehouse: args.warehouse,
    glue: { ...GLUE, ...args.glue },
    schedule: { ...SCHEDULE, ...args.schedule },
    training,
    servingInstanceType: args.servingInstanceType ?? SERVING_INSTANCE_TYPE,
    canary: { ...CANARY, ...args.canary },
    lateMinutes: args.lateMinutes ?? LATE_MINUTES,
    transform: args.transform ?? {},
  };
}

/** One function promotes the models of all datasets, so they need to share one store. */
function modelStoreOf(instance: string, datasets: readonly DatasetDocument[], served: readonly ServedProfile[]): ModelStore {
  const trained = served.filter(({ profile }) => datasets.some((dataset) => dataset.profile === profile));
  const [store, another] = new Set(trained.map(({ modelStore }) => modelStore));
  if (store !== undefined && another === undefined) return store;
  throw new Error(
    `TrainingPipeline "${instance}": args.served must have one model store for the profiles of all datasets, got several. Give ` +
      `${trained.map(({ profile }) => profile).join(", ")} the same ModelStore (models.store), or each a pipeline of its own.`,
  );
}

function checkWait(instance: string, { spot, maxRuntimeMinutes }: TrainingJob): void {
  if (!spot.enabled || spot.maxWaitMinutes >= maxRuntimeMinutes) return;
  throw new Error(
    `TrainingPipeline "${instance}": args.training.spot.maxWaitMinutes is ${spot.maxWaitMinutes}; SageMaker counts the work into ` +
      `the wait, so set it to args.training.maxRuntimeMinutes (${maxRuntimeMinutes}) or more.`,
  );
}
