/** The functions of training: plan, the two gates, promotion. */
import type * as pulumi from "@pulumi/pulumi";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { PlatformFunction } from "../shared/function";
import type { Statement } from "../shared/iam";
import { modelPrefix } from "../shared/model-artifact";
import { environmentOf } from "../shared/naming";
import { modelsParametersJson, parameterStatement } from "../shared/pipeline-models";
import { PLAN_TIMEOUT_SECONDS, planFunction } from "../shared/pipeline-plan";
import type { TrainingSettings } from "./settings";

export interface TrainingFunctions {
  readonly plan: PlatformFunction;
  readonly qualityGate: PlatformFunction;
  readonly evaluationGate: PlatformFunction;
  readonly promotion: PlatformFunction;
}

/** Seconds: the first for statistics of at most hundreds of columns, the second for two models over 20,000 rows. */
export const TIMEOUT_SECONDS = { plan: PLAN_TIMEOUT_SECONDS, qualityGate: 60, evaluationGate: 300, promotion: 300 } as const;

/** Concurrent executions: the schedules of all datasets start in the same minute. */
const concurrencyOf = ({ datasets }: TrainingSettings): number => Math.max(2, datasets.length);

export function createFunctions(instance: string, settings: TrainingSettings, parent: pulumi.Resource): TrainingFunctions {
  const plan = planFunction(
    `${instance}-plan`,
    {
      context: settings.context,
      account: settings.account,
      store: settings.store,
      models: settings.models,
      description: "Plans a training: names, prefixes, hyperparameters",
      reads: [],
      reservedConcurrency: concurrencyOf(settings),
    },
    parent,
  );
  return {
    plan,
    qualityGate: createQualityGate(instance, settings, parent),
    evaluationGate: createEvaluationGate(instance, settings, parent),
    promotion: createPromotion(instance, settings, parent),
  };
}

function createQualityGate(instance: string, settings: TrainingSettings, parent: pulumi.Resource): PlatformFunction {
  const { context, store } = settings;
  return new PlatformFunction(
    `${instance}-quality-gate`,
    {
      ...context,
      description: "Checks the statistics of a training set before money is spent on it",
      entry: "data-quality-gate",
      callbackFactory: () => require("./bundles/data-quality-gate/index.js").handler,
      memoryMb: 512,
      timeoutSeconds: TIMEOUT_SECONDS.qualityGate,
      reservedConcurrency: concurrencyOf(settings),
      environment: { PIPELINE_BUCKET: store.bucketName, LOG_LEVEL: "info" },
      permissions: store.bucket.readStatements(["config/datasets/", "training/data/"]),
    },
    { parent },
  );
}

function createEvaluationGate(instance: string, settings: TrainingSettings, parent: pulumi.Resource): PlatformFunction {
  const { context, account, store, models, modelStore, datasets, transform } = settings;
  return new PlatformFunction(
    `${instance}-evaluation-gate`,
    {
      ...context,
      description: "Compares a trained model with the champion on the holdout",
      entry: "evaluation-gate",
      callbackFactory: () => require("./bundles/evaluation-gate/index.js").handler,
      // One whole vCPU, because it scores the holdout with two models.
      memoryMb: 1769,
      timeoutSeconds: TIMEOUT_SECONDS.evaluationGate,
      reservedConcurrency: concurrencyOf(settings),
      environment: {
        PIPELINE_BUCKET: store.bucketName,
        MODEL_BUCKET: modelStore.bucket.bucketName,
        MODELS_PARAMETERS: modelsParametersJson(models),
        LOG_LEVEL: "info",
      },
      permissions: [
        ...store.bucket.readStatements(["config/datasets/", "models/"]),
        ...store.bucket.writeStatements(datasets.map(({ name }) => `models/${name}/*/report/`)),
        ...modelStore.bucket.readStatements(profilePrefixes(datasets)),
        parameterStatement("ReadModels", ["ssm:GetParameter"], models, account),
      ],
      ...(transform.evaluationGate ? { transform: transform.evaluationGate } : {}),
    },
    { parent },
  );
}

function createPromotion(instance: string, settings: TrainingSettings, parent: pulumi.Resource): PlatformFunction {
  const { context, account, store, models, modelStore, datasets, canary, metricNamespaces } = settings;
  const permissions: Statement[] = [
    ...store.bucket.readStatements(["config/datasets/", "models/"]),
    ...modelStore.bucket.readStatements(profilePrefixes(datasets)),
    ...modelStore.bucket.writeStatements(profilePrefixes(datasets)),
    parameterStatement("ChangeModels", ["ssm:GetParameter", "ssm:PutParameter"], models, account),
    // Reading metrics doesn't support resources.
    { sid: "ReadMetrics", actions: ["cloudwatch:GetMetricData"], resources: ["*"] },
  ];
  return new PlatformFunction(
    `${instance}-promotion`,
    {
      ...context,
      description: "Converts an approved model, tries it as challenger and makes it champion",
      entry: "model-promotion",
      callbackFactory: () => require("./bundles/model-promotion/index.js").handler,
      memoryMb: 1024,
      timeoutSeconds: TIMEOUT_SECONDS.promotion,
      reservedConcurrency: concurrencyOf(settings),
      environment: {
        PIPELINE_BUCKET: store.bucketName,
        MODEL_BUCKET: modelStore.bucket.bucketName,
        MODELS_PARAMETERS: modelsParametersJson(models),
        CANARY_PERCENT: String(canary.percent),
        METRIC_NAMESPACES: JSON.stringify(metricNamespaces),
        ENVIRONMENT: environmentOf(context.naming),
        LOG_LEVEL: "info",
      },
      permissions,
    },
    { parent },
  );
}

const profilePrefixes = (datasets: readonly DatasetDocument[]): string[] => [
  ...new Set(datasets.map(({ profile }) => modelPrefix(profile))),
];
