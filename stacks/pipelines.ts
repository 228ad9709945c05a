/** Training and batch scoring of one stack: the shared bucket, the two pipelines and their dashboard. */
import { Dashboard } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { InferencePipeline } from "../components/inference-pipeline";
import type { RiskWarehouse } from "../components/risk-warehouse";
import type { PlatformContext } from "../components/shared/context";
import type { ModelStore } from "../components/shared/model-store";
import type { Naming } from "../components/shared/naming";
import { pipelineDashboardBody } from "../components/shared/pipeline-dashboard";
import type { GlueSize } from "../components/shared/pipeline-glue-job";
import { documentSource, glueSources, sagemakerSources } from "../components/shared/pipeline-sources";
import { PipelineStore, type SnowflakeAccount, snowflakeConnectionName } from "../components/shared/pipeline-store";
import { TrainingPipeline } from "../components/training-pipeline";
import type { DatasetDocument } from "../functions/pipeline/dataset";
import type { FunctionBundles } from "../tools/bundle";
import { bundleOf } from "./bundle-of";
import type { StackConfig } from "./config";
import { type DatasetName, datasets } from "./datasets";
import { PIPELINE_STORE } from "./naming-checks";
import { datasetNames } from "./pipeline-checks";

export interface Pipelines {
  readonly store: PipelineStore;
  readonly training: TrainingPipeline;
  readonly inference: InferencePipeline;
  readonly dashboardName: pulumi.Output<string>;
}

export interface PipelineParts {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly bundles: FunctionBundles;
  readonly models: ModelStore;
  /** Name of the models' parameter by profile. */
  readonly modelsParameters: Readonly<Record<string, pulumi.Output<string>>>;
  /** Namespace of the scoring metrics by profile. */
  readonly metricNamespaces: Readonly<Record<string, string>>;
  readonly warehouse: RiskWarehouse | undefined;
}

const TRAINING = "training";
const INFERENCE = "inference";

export function createPipelines(config: StackConfig, parts: PipelineParts, root: string): Pipelines {
  const documents = selectedDatasets(config, parts.naming);
  const store = createStore(config, parts, documents, root);
  const training = createTraining(config, parts, documents, store);
  const inference = createInference(config, parts, documents, store);
  const dashboard = createDashboard(config, parts.naming, training, inference);
  return { store, training, inference, dashboardName: dashboard.dashboardName };
}

/** The documents of the datasets that the stack trains and scores. */
export function selectedDatasets(config: StackConfig, naming: Naming): DatasetDocument[] {
  const all = datasets({
    fraudMaturityDays: config["fraud.labelMaturityDays"],
    device:
      config["device.source"] === "snowflake"
        ? {
            connection: snowflakeConnectionName(naming),
            database: config["snowflake.database"],
            schema: config["snowflake.schema"],
            warehouse: config["snowflake.warehouse"],
            table: config["snowflake.table"],
            keyColumn: config["snowflake.keyColumn"],
            timeColumn: config["snowflake.timeColumn"],
            targetColumn: config["snowflake.targetColumn"],
          }
        : null,
  });
  // The setting's pattern knows the same names.
  return datasetNames(config).map((name) => all[name as DatasetName]);
}

function createStore(
  config: StackConfig,
  { context, naming }: PipelineParts,
  documents: readonly DatasetDocument[],
  root: string,
): PipelineStore {
  const snowflake = snowflakeAccount(config, documents);
  return new PipelineStore(PIPELINE_STORE, {
    context,
    naming,
    region: config.region,
    bucketPrefix: config.bucketPrefix,
    glueSources: glueSources(root),
    sagemakerSources: sagemakerSources(root),
    documents: documents.map((document) => documentSource(root, "config/datasets/", document.name, document)),
    trainingDataDays: config["pipelines.trainingDataDays"],
    inferenceDataDays: config["pipelines.inferenceDataDays"],
    ...(snowflake ? { snowflake } : {}),
  });
}

function snowflakeAccount(config: StackConfig, documents: readonly DatasetDocument[]): SnowflakeAccount | undefined {
  if (!documents.some(({ source }) => source.kind === "snowflake")) return undefined;
  return {
    url: config["snowflake.accountUrl"],
    database: config["snowflake.database"],
    schema: config["snowflake.schema"],
    warehouse: config["snowflake.warehouse"],
    role: config["snowflake.role"],
    secretName: config["snowflake.secretName"],
  };
}

const glueSize = (config: StackConfig): GlueSize => ({
  workerType: config["glue.workerType"],
  workers: config["glue.workers"],
  timeoutMinutes: config["glue.timeoutMinutes"],
});

/** The parameter of each dataset's profile: promotion writes it, batch scoring follows it. */
function modelsOf({ modelsParameters }: PipelineParts, documents: readonly DatasetDocument[]) {
  return Object.fromEntries(
    documents.flatMap(({ name, profile }) => {
      const parameter = modelsParameters[profile];
      return parameter === undefined ? [] : [[name, parameter]];
    }),
  );
}

function createTraining(
  config: StackConfig,
  parts: PipelineParts,
  documents: readonly DatasetDocument[],
  store: PipelineStore,
): TrainingPipeline {
  const { context, naming, bundles, models, metricNamespaces, warehouse } = parts;
  return new TrainingPipeline(TRAINING, {
    context,
    naming,
    region: config.region,
    store,
    modelStore: models,
    datasets: documents,
    models: modelsOf(parts, documents),
    warehouse: warehouse?.batchAccess(),
    bundles: {
      plan: bundleOf(bundles, "pipeline-plan"),
      qualityGate: bundleOf(bundles, "data-quality-gate"),
      evaluationGate: bundleOf(bundles, "evaluation-gate"),
      promotion: bundleOf(bundles, "model-promotion"),
    },
    schedule: config["training.schedule"],
    scheduleEnabled: config["training.scheduleEnabled"],
    glue: glueSize(config),
    training: {
      instanceType: config["training.instanceType"],
      volumeGb: config["training.volumeGb"],
      maxRuntimeMinutes: config["training.maxRuntimeMinutes"],
      spot: config["training.spot"] ? { enabled: true, maxWaitMinutes: config["training.maxWaitMinutes"] } : { enabled: false },
    },
    servingInstanceType: config["inference.instanceType"],
    canary: { percent: config["training.canaryPercent"], minutes: config["training.canaryMinutes"] },
    metricNamespaces,
    lateMinutes: config["training.lateAlarmMinutes"],
    reserveConcurrency: config.reserveConcurrency,
  });
}

function createInference(
  config: StackConfig,
  parts: PipelineParts,
  documents: readonly DatasetDocument[],
  store: PipelineStore,
): InferencePipeline {
  const { context, naming, bundles, warehouse } = parts;
  return new InferencePipeline(INFERENCE, {
    context,
    naming,
    region: config.region,
    store,
    datasets: documents,
    models: modelsOf(parts, documents),
    warehouse: warehouse?.batchAccess(),
    bundles: { plan: bundleOf(bundles, "pipeline-plan"), batchGate: bundleOf(bundles, "batch-gate") },
    schedule: config["inference.schedule"],
    scheduleEnabled: config["inference.scheduleEnabled"],
    glue: glueSize(config),
    transformJob: {
      instanceType: config["inference.instanceType"],
      instanceCount: config["inference.instanceCount"],
      timeoutMinutes: config["inference.timeoutMinutes"],
    },
    maxBackfillDays: config["inference.maxBackfillDays"],
    mapConcurrency: config["inference.mapConcurrency"],
    lateMinutes: config["inference.lateAlarmMinutes"],
    reserveConcurrency: config.reserveConcurrency,
  });
}

function createDashboard(
  config: StackConfig,
  { environment, suffix }: Naming,
  { nodes: training }: TrainingPipeline,
  { nodes: inference }: InferencePipeline,
): Dashboard {
  const names = pulumi.output({
    machines: [
      { label: "training", arn: training.trainingMachine.arn },
      { label: "promotion", arn: training.promotionMachine.arn },
      { label: "batch scoring", arn: inference.machine.arn },
    ],
    glueJobs: [
      { label: "training extract", name: training.extractJob.jobName },
      { label: "batch extract", name: inference.extractJob.jobName },
      { label: "batch load", name: inference.loadJob.jobName },
    ],
    functions: [
      { label: "quality gate", name: training.functions.qualityGate.functionName },
      { label: "evaluation gate", name: training.functions.evaluationGate.functionName },
      { label: "promotion", name: training.functions.promotion.functionName },
      { label: "batch gate", name: inference.batchGate.functionName },
    ],
  });
  return new Dashboard("pipelines-dashboard", {
    dashboardName: `pipelines-${environment}-${suffix}`,
    dashboardBody: names.apply((known) => pipelineDashboardBody({ region: config.region, ...known })),
  });
}
