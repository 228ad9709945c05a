/** The state machine that makes a model: extract → quality gate → training → evaluation gate → registry. */
import { basename } from "node:path";
import { type Definition, FAILURE_TAIL, failureTail, functionTask, type States, task } from "../shared/pipeline-states";
import type { TrainingJob } from "./args";
import { PIP, PLAN, type TrainingDefinitionArgs } from "./definition-args";
import { registryStates } from "./registry-states";

/** Seconds for SageMaker and Glue to find a machine and store their results, in addition to the work itself. */
const OVERHEAD_SECONDS = 1800;
/** Hyperparameters that all trainings have in common; an intrinsic function takes no object literal, so they stand beside the plan. */
const SCRIPT_MODE = "$.plan.scriptMode";

export function trainingDefinition(args: TrainingDefinitionArgs): Definition {
  const states: States = {
    ...planStates(args),
    ...extractStates(args),
    ...trainStates(args),
    ...registryStates(args),
    ...failureTail("Training", args.notices),
  };
  return {
    Comment: "Trains a model on a dataset and registers it for approval",
    StartAt: "Plan",
    // All steps at their limits, plus an hour for retries.
    TimeoutSeconds: trainingSeconds(args.training) + args.extractJob.timeoutMinutes * 60 + 2 * OVERHEAD_SECONDS + 3600,
    States: states,
  };
}

export const trainingSeconds = ({ spot, maxRuntimeMinutes }: TrainingJob): number =>
  60 * (spot.enabled ? Math.max(spot.maxWaitMinutes, maxRuntimeMinutes) : maxRuntimeMinutes);

function planStates(args: TrainingDefinitionArgs): States {
  const { functions, notices } = args;
  return {
    ...functionTask(
      "Plan",
      {
        functionArn: functions.plan.arn,
        timeoutSeconds: functions.plan.timeoutSeconds,
        payload: {
          pipeline: "training",
          "input.$": "$",
          execution: { "name.$": "$$.Execution.Name", "startTime.$": "$$.Execution.StartTime" },
        },
        resultPath: "$.plan",
        constants: { scriptMode: scriptMode(args) },
        next: "ChooseSource",
        remedy: "Correct the input that the message names (dataset, asOf, file) and start a new execution.",
      },
      notices.partition,
      FAILURE_TAIL,
    ),
    ChooseSource: {
      Type: "Choice",
      // A command-line argument without a value would take the next argument's name as its value.
      Choices: [{ Variable: `${PLAN}.file`, StringEquals: "", Next: "ExtractTrainingData" }],
      Default: "ExtractTrainingFile",
    },
  };
}

function extractStates({ functions, extractJob, notices }: TrainingDefinitionArgs): States {
  const extract = (name: string, file: Readonly<Record<string, string>>): States =>
    task(
      name,
      {
        service: "glue",
        resource: `arn:${notices.partition}:states:::glue:startJobRun.sync`,
        parameters: {
          JobName: extractJob.name,
          Arguments: {
            "--dataset.$": `${PLAN}.dataset`,
            "--model_name.$": `${PLAN}.modelName`,
            "--as_of.$": `${PLAN}.asOf`,
            ...file,
          },
        },
        resultSelector: { "run.$": "$.Id" },
        resultPath: "$.extract",
        timeoutSeconds: extractJob.timeoutMinutes * 60 + OVERHEAD_SECONDS,
        next: "CheckDataQuality",
        remedy:
          "Read the job's log. If a column disappeared, correct the source or the dataset's features. If memory or time ran out, use more workers (risk:glue.workers). Then start a new execution.",
      },
      FAILURE_TAIL,
    );
  return {
    ...extract("ExtractTrainingData", {}),
    ...extract("ExtractTrainingFile", { "--file.$": `${PLAN}.file` }),
    ...functionTask(
      "CheckDataQuality",
      {
        functionArn: functions.qualityGate.arn,
        timeoutSeconds: functions.qualityGate.timeoutSeconds,
        payload: PLAN,
        resultPath: "$.quality",
        next: "TrainModel",
        remedy:
          "Nothing was trained and the champion stays. Correct the data, or the dataset's limits if the data is right, and start a new execution.",
      },
      notices.partition,
      FAILURE_TAIL,
    ),
  };
}

function trainStates(args: TrainingDefinitionArgs): States {
  const { notices, functions } = args;
  return {
    ...task(
      "TrainModel",
      {
        service: "sagemaker",
        resource: `arn:${notices.partition}:states:::sagemaker:createTrainingJob.sync`,
        parameters: trainingParameters(args),
        resultSelector: { "seconds.$": "$.BillableTimeInSeconds", "artifacts.$": "$.ModelArtifacts.S3ModelArtifacts" },
        resultPath: "$.training",
        timeoutSeconds: trainingSeconds(args.training) + OVERHEAD_SECONDS,
        next: "EvaluateModel",
        remedy:
          "Read the job's log in /aws/sagemaker/TrainingJobs. If there was no capacity, choose another instance type (risk:training.instanceType) or turn spot off. Then start a new execution: a job's name can only be used once.",
      },
      FAILURE_TAIL,
    ),
    ...functionTask(
      "EvaluateModel",
      {
        functionArn: functions.evaluationGate.arn,
        timeoutSeconds: functions.evaluationGate.timeoutSeconds,
        payload: PLAN,
        resultPath: "$.evaluation",
        next: "CreateModel",
        remedy:
          "Nothing was registered and the champion stays. The report is in models/<dataset>/<model>/report/: compare it with the champion's before you change features or limits.",
      },
      notices.partition,
      FAILURE_TAIL,
    ),
  };
}

/** Parameters of CreateTrainingJob. The container has no network: code comes as a channel, and nothing leaves but its outputs. */
function trainingParameters(args: TrainingDefinitionArgs): Readonly<Record<string, unknown>> {
  const { bucket, keyArn, image, trainingRoleArn, training, sourcesKey } = args;
  const parquet = (name: string, uri: string) => channel(name, { "S3Uri.$": uri }, "application/x-parquet");
  return {
    "TrainingJobName.$": `${PLAN}.modelName`,
    RoleArn: trainingRoleArn,
    AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: "File" },
    "HyperParameters.$": `States.JsonMerge(${PLAN}.hyperparameters, ${SCRIPT_MODE}, false)`,
    InputDataConfig: [
      parquet("train", `${PLAN}.trainUri`),
      parquet("validation", `${PLAN}.validationUri`),
      parquet("holdout", `${PLAN}.holdoutUri`),
      channel(
        "config",
        { "S3Uri.$": `States.Format('s3://${bucket}/config/datasets/{}.json', ${PLAN}.dataset)` },
        "application/json",
      ),
      channel("code", { S3Uri: `s3://${bucket}/${sourcesKey}` }, "application/gzip"),
    ],
    OutputDataConfig: { "S3OutputPath.$": `${PLAN}.modelOutputUri`, KmsKeyId: keyArn },
    ResourceConfig: {
      InstanceType: training.instanceType,
      // The script trains on one machine: a million rows with 85 features take minutes.
      InstanceCount: 1,
      VolumeSizeInGB: training.volumeGb,
      VolumeKmsKeyId: keyArn,
    },
    Environment: PIP,
    EnableNetworkIsolation: true,
    EnableInterContainerTrafficEncryption: true,
    EnableManagedSpotTraining: training.spot.enabled,
    ...(training.spot.enabled ? { CheckpointConfig: { "S3Uri.$": `${PLAN}.checkpointUri` } } : {}),
    StoppingCondition: {
      MaxRuntimeInSeconds: training.maxRuntimeMinutes * 60,
      ...(training.spot.enabled ? { MaxWaitTimeInSeconds: trainingSeconds(training) } : {}),
    },
    Tags: [{ Key: "dataset", "Value.$": `${PLAN}.dataset` }],
  };
}

function channel(name: string, uri: Readonly<Record<string, string>>, contentType: string): unknown {
  return {
    ChannelName: name,
    ContentType: contentType,
    InputMode: "File",
    DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3DataDistributionType: "FullyReplicated", ...uri } },
  };
}

/** How the container finds the script. */
function scriptMode({ sourcesKey, notices }: TrainingDefinitionArgs): Readonly<Record<string, string>> {
  return {
    sagemaker_program: "train.py",
    // A file of the channel `code`: without a network the container can't fetch it from S3.
    sagemaker_submit_directory: `/opt/ml/input/data/code/${basename(sourcesKey)}`,
    sagemaker_container_log_level: "20",
    sagemaker_region: notices.region,
  };
}
