/** What an execution's states work on: names, keys, URIs, hyperparameters. Pure. */
import { sha256 } from "../../scoring/core/hash";
import {
  inferenceInputPrefix,
  inferenceOutputPrefix,
  manifestKey,
  modelOutputPrefix,
  modelTarKey,
  outputTarKey,
  reportPrefix,
  statisticsKey,
  trainingDataPrefix,
} from "../common/keys";
import type { DatasetDocument } from "../dataset";
import { dateOfDay, dayOf } from "./dates";
import type { Execution, InferenceRequest, TrainingRequest } from "./request";

export interface TrainingPlan {
  readonly dataset: string;
  readonly profile: string;
  /** Of the training job, the SageMaker model and the entry in the models parameter. */
  readonly modelName: string;
  /** ISO 8601, UTC. */
  readonly asOf: string;
  /** Empty when the data comes from the dataset's own source. */
  readonly file: string;
  readonly champion: string;
  readonly dataPrefix: string;
  readonly trainUri: string;
  readonly validationUri: string;
  readonly holdoutUri: string;
  readonly statisticsKey: string;
  /** SageMaker's S3OutputPath. */
  readonly modelOutputUri: string;
  readonly modelKey: string;
  readonly modelUri: string;
  readonly outputKey: string;
  readonly reportPrefix: string;
  readonly reportUri: string;
  /** Limits of managed spot training. */
  readonly checkpointUri: string;
  /** Texts, because SageMaker takes nothing else. */
  readonly hyperparameters: Readonly<Record<string, string>>;
}

export interface DayPlan {
  readonly dataset: string;
  readonly date: string;
  readonly modelName: string;
  readonly file: string;
  readonly inputPrefix: string;
  readonly inputUri: string;
  readonly manifestKey: string;
  readonly outputPrefix: string;
  readonly outputUri: string;
  /** One per execution and day. */
  readonly transformJobName: string;
}

export interface InferencePlan {
  readonly dataset: string;
  readonly profile: string;
  readonly modelName: string;
  readonly days: readonly DayPlan[];
}

/** What is known apart from the request. */
export interface Circumstances {
  readonly bucket: string;
  readonly execution: Execution;
  readonly document: DatasetDocument;
  /** Name of the champion. */
  readonly champion: string;
}

/**
 * Names are unique to an execution, and a retry gives the same ones. The stacks of an account share one name space for jobs, and people
 * give executions the same name in each of them: the bucket, which belongs to one stack, tells them apart.
 */
const executionHash = ({ bucket, execution }: Circumstances): string => sha256(`${bucket}/${execution.name}`).slice(0, 8);

const compact = (date: string): string => date.replaceAll("-", "");

export function planTraining(request: TrainingRequest, circumstances: Circumstances): TrainingPlan {
  const { bucket, execution, document, champion } = circumstances;
  const { dataset, asOf, file } = request;
  const modelName = `${dataset}-${compact(dateOfDay(dayOf(execution.startedAtMs)))}-${executionHash(circumstances)}`;
  const uri = (key: string): string => `s3://${bucket}/${key}`;
  const dataPrefix = trainingDataPrefix(dataset, modelName);
  const modelKey = modelTarKey(dataset, modelName);
  const report = reportPrefix(dataset, modelName);
  return {
    dataset,
    profile: document.profile,
    modelName,
    asOf,
    file,
    champion,
    dataPrefix,
    trainUri: uri(`${dataPrefix}train/`),
    validationUri: uri(`${dataPrefix}validation/`),
    holdoutUri: uri(`${dataPrefix}holdout/`),
    statisticsKey: statisticsKey(dataset, modelName),
    modelOutputUri: uri(modelOutputPrefix(dataset)),
    modelKey,
    modelUri: uri(modelKey),
    outputKey: outputTarKey(dataset, modelName),
    reportPrefix: report,
    reportUri: uri(report),
    checkpointUri: uri(`temp/checkpoints/${modelName}/`),
    hyperparameters: hyperparameters(document, modelName),
  };
}

/** Under the names that the training script takes. */
function hyperparameters({ name, training, evaluation }: DatasetDocument, modelName: string): Record<string, string> {
  return {
    dataset: name,
    model_name: modelName,
    objective: training.objective,
    rounds: String(training.rounds),
    max_depth: String(training.maxDepth),
    learning_rate: String(training.learningRate),
    subsample: String(training.subsample),
    colsample_bytree: String(training.colsampleByTree),
    min_child_weight: String(training.minChildWeight),
    reg_lambda: String(training.lambda),
    early_stopping_rounds: String(training.earlyStoppingRounds),
    seed: String(training.seed),
    golden_rows: String(evaluation.goldenRows),
    monotone: JSON.stringify(training.monotone ?? {}),
  };
}

export function planInference(request: InferenceRequest, circumstances: Circumstances): InferencePlan {
  const { bucket, document, champion } = circumstances;
  const { dataset, dates, file } = request;
  const uri = (key: string): string => `s3://${bucket}/${key}`;
  const days = dates.map((date): DayPlan => {
    const inputPrefix = inferenceInputPrefix(dataset, date);
    const outputPrefix = inferenceOutputPrefix(dataset, date);
    return {
      dataset,
      date,
      modelName: champion,
      file,
      inputPrefix,
      inputUri: uri(inputPrefix),
      manifestKey: manifestKey(dataset, date),
      outputPrefix,
      outputUri: uri(outputPrefix),
      transformJobName: `${dataset}-${compact(date)}-${executionHash(circumstances)}`,
    };
  });
  return { dataset, profile: document.profile, modelName: champion, days };
}
