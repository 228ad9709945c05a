/** Training and batch scoring of one stack: the shared bucket, the two pipelines and their dashboard. */
import { Dashboard } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { InferencePipeline } from "../components/inference-pipeline";
import type { RiskWarehouse } from "../components/risk-warehouse";
import type { PlatformContext } from "../components/shared/context";
import type { ServedProfile } from "../components/shared/models-parameter";
import type { Naming } from "../components/shared/naming";
import type { PipelineArgs } from "../components/shared/pipeline-args";
import { pipelineDashboardBody } from "../components/shared/pipeline-dashboard";
import { PipelineStore, type SnowflakeAccount, snowflakeConnectionName } from "../components/shared/pipeline-store";
import type { DeadLetters } from "../components/shared/queue";
import { TrainingPipeline } from "../components/training-pipeline";
import type { DatasetDocument } from "../functions/gates/dataset";
import { type DatasetName, datasets } from "./datasets";
import { PIPELINE_STORE, pipelineBucketOf } from "./naming-checks";
import { datasetNames } from "./pipeline-checks";
import type { StackConfig } from "./stack-config";

export interface Pipelines {
  readonly store: PipelineStore;
  readonly datasets: readonly DatasetDocument[];
  readonly training: TrainingPipeline;
  readonly inference: InferencePipeline;
  readonly dashboardName: pulumi.Output<string>;
  /** Executions that could not be started. */
  readonly deadLetters: readonly DeadLetters[];
}

export interface PipelineParts {
  readonly context: PlatformContext;
  readonly served: readonly ServedProfile[];
  readonly warehouse: RiskWarehouse | undefined;
}

const TRAINING = "training";
const INFERENCE = "inference";

export function createPipelines(config: StackConfig, parts: PipelineParts): Pipelines {
  const { context, served } = parts;
  const warehouse = parts.warehouse?.batchAccess();
  const common: PipelineArgs = {
    datasets: selectedDatasets(config, context.naming),
    served,
    context,
    ...(warehouse ? { warehouse } : {}),
    glue: {
      workerType: config["glue.workerType"],
      workers: config["glue.workers"],
      timeoutMinutes: config["glue.timeoutMinutes"],
    },
  };
  const store = createStore(config, common.datasets, context);
  const training = createTraining(config, common, store);
  const inference = createInference(config, common, store);
  const dashboard = createDashboard(config, context.naming, training, inference);
  const starters = [training.nodes.starter, inference.nodes.starter].filter((starter) => starter !== undefined);
  const deadLetters = starters.map((starter) => starter.deadLetters());
  return { store, datasets: common.datasets, training, inference, dashboardName: dashboard.dashboardName, deadLetters };
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
  // The setting's pattern allows the same names.
  return datasetNames(config).map((name) => all[name as DatasetName]);
}

function createStore(config: StackConfig, documents: readonly DatasetDocument[], context: PlatformContext): PipelineStore {
  const snowflake = snowflakeAccount(config, documents);
  return new PipelineStore(PIPELINE_STORE, {
    context,
    datasets: documents,
    bucketName: pipelineBucketOf(config),
    retention: {
      trainingDataDays: config["pipelines.trainingDataDays"],
      inferenceDataDays: config["pipelines.inferenceDataDays"],
    },
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

function createTraining(config: StackConfig, common: PipelineArgs, store: PipelineStore): TrainingPipeline {
  return new TrainingPipeline(TRAINING, {
    ...common,
    store,
    schedule: { cron: config["training.schedule"], enabled: config["training.scheduleEnabled"] },
    training: {
      instanceType: config["training.instanceType"],
      volumeGb: config["training.volumeGb"],
      maxRuntimeMinutes: config["training.maxRuntimeMinutes"],
      spot: config["training.spot"] ? { enabled: true, maxWaitMinutes: config["training.maxWaitMinutes"] } : { enabled: false },
    },
    servingInstanceType: config["inference.instanceType"],
    canary: { percent: config["training.canaryPercent"], minutes: config["training.canaryMinutes"] },
    lateMinutes: config["training.lateAlarmMinutes"],
  });
}

function createInference(config: StackConfig, common: PipelineArgs, store: PipelineStore): InferencePipeline {
  return new InferencePipeline(INFERENCE, {
    ...common,
    store,
    schedule: { cron: config["inference.schedule"], enabled: config["inference.scheduleEnabled"] },
    transformJob: {
      instanceType: config["inference.instanceType"],
      instanceCount: config["inference.instanceCount"],
      timeoutMinutes: config["inference.timeoutMinutes"],
    },
    backfill: { maxDays: config["inference.maxBackfillDays"], concurrency: config["inference.mapConcurrency"] },
    lateMinutes: config["inference.lateAlarmMinutes"],
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
