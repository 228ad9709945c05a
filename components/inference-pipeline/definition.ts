/** The state machine that scores days: plan → each day (extract → inspect → transform → load) → summary. */
import {
  type Definition,
  explain,
  explainerOf,
  FAILURE_TAIL,
  failureTail,
  functionTask,
  type Notices,
  readCause,
  type States,
  task,
} from "../shared/pipeline-states";
import type { TransformJob } from "./args";

export interface InferenceDefinitionArgs {
  readonly notices: Notices;
  readonly keyArn: string;
  readonly plan: { readonly arn: string; readonly timeoutSeconds: number };
  readonly batchGate: { readonly arn: string; readonly timeoutSeconds: number };
  readonly extractJob: string;
  readonly loadJob: string;
  readonly glueTimeoutMinutes: number;
  readonly transformJob: TransformJob;
  readonly maxBackfillDays: number;
  readonly mapConcurrency: number;
}

/** Seconds for Glue and SageMaker to find machines, in addition to the work itself. */
const OVERHEAD_SECONDS = 1800;
/** States of one day have this prefix, since names must be unique in the whole machine. */
const DAY = "Day";
const DAY_TAIL = `${DAY}ReadCause`;

export function inferenceDefinition(args: InferenceDefinitionArgs): Definition {
  const { notices, plan, batchGate, maxBackfillDays, mapConcurrency } = args;
  return {
    Comment: "Scores days in batch with the champion and loads the scores",
    StartAt: "Plan",
    // The longest backfill with every day at its limits, plus an hour for retries.
    TimeoutSeconds: Math.ceil(maxBackfillDays / mapConcurrency) * daySeconds(args) + 3600,
    States: {
      ...functionTask(
        "Plan",
        {
          functionArn: plan.arn,
          timeoutSeconds: plan.timeoutSeconds,
          payload: {
            pipeline: "inference",
            "input.$": "$",
            execution: { "name.$": "$$.Execution.Name", "startTime.$": "$$.Execution.StartTime" },
          },
          resultPath: "$.plan",
          next: "ScoreDays",
          expected: { NoTrainedModel: "WasScheduled" },
          remedy:
            "Correct the input that the message names (dataset, date, from, to, file); without a trained champion, train and approve one first. Then start a new execution.",
        },
        notices.partition,
        FAILURE_TAIL,
      ),
      // Whoever asks for days must hear that there is no model; a schedule waits for one, night after night.
      WasScheduled: {
        Type: "Choice",
        Choices: [
          {
            And: [
              { Variable: "$.scheduled", IsPresent: true },
              { Variable: "$.scheduled", BooleanEquals: true },
            ],
            Next: "NothingToScore",
          },
        ],
        Default: explainerOf("Plan"),
      },
      NothingToScore: {
        Type: "Pass",
        Parameters: { "dataset.$": "$.dataset", days: 0, "nothingToScore.$": "$.failure.Cause" },
        End: true,
      },
      ScoreDays: {
        Type: "Map",
        ItemsPath: "$.plan.output.days",
        MaxConcurrency: mapConcurrency,
        ItemProcessor: { ProcessorConfig: { Mode: "INLINE" }, StartAt: "ChooseDaySource", States: dayStates(args) },
        ResultPath: "$.days",
        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.failure", Next: explainerOf("ScoreDays") }],
        Next: "Summarise",
      },
      [explainerOf("ScoreDays")]: explain(
        "ScoreDays",
        "Start a new execution for the days: those that are already loaded stay unchanged.",
        FAILURE_TAIL,
      ),
      ...functionTask(
        "Summarise",
        {
          functionArn: batchGate.arn,
          timeoutSeconds: batchGate.timeoutSeconds,
          payload: {
            action: "summary",
            "dataset.$": "$.plan.output.dataset",
            "modelName.$": "$.plan.output.modelName",
            "days.$": "$.days",
          },
          resultPath: "$.summary",
          next: "Scored",
          remedy:
            "Scores of the failed days are unchanged. Remove the cause that the message names for each day and start a new execution for those days.",
        },
        notices.partition,
        FAILURE_TAIL,
      ),
      Scored: { Type: "Pass", InputPath: "$.summary.output", End: true },
      ...failureTail("Batch scoring", notices),
    },
  };
}

/** The part of a day that the summary needs: the days of a backfill come together in one state, which holds at most 256 KB. */
const DONE = { "date.$": "$.date", "inspection.$": "$.inspection" };

const daySeconds = ({ glueTimeoutMinutes, transformJob }: InferenceDefinitionArgs): number =>
  2 * (glueTimeoutMinutes * 60 + OVERHEAD_SECONDS) + transformJob.timeoutMinutes * 60 + OVERHEAD_SECONDS;

/** What happens to one day; its state is the plan's entry for it. A failed day ends with `error` and does not affect the others. */
function dayStates(args: InferenceDefinitionArgs): States {
  const { batchGate, notices } = args;
  return {
    ChooseDaySource: {
      Type: "Choice",
      // A command-line argument without a value would take the next argument's name as its value.
      Choices: [{ Variable: "$.file", StringEquals: "", Next: "ExtractDay" }],
      Default: "ExtractDayFile",
    },
    ...extract(args, "ExtractDay", {}),
    ...extract(args, "ExtractDayFile", { "--file.$": "$.file" }),
    ...functionTask(
      "InspectDay",
      {
        functionArn: batchGate.arn,
        timeoutSeconds: batchGate.timeoutSeconds,
        payload: { action: "inspect", "day.$": "$" },
        resultPath: "$.inspected",
        next: "KeepInspection",
        remedy: "Correct the day's source as the message says.",
      },
      notices.partition,
      DAY_TAIL,
    ),
    // Where the summary looks for it.
    KeepInspection: { Type: "Pass", InputPath: "$.inspected.output", ResultPath: "$.inspection", Next: "IsDayEmpty" },
    IsDayEmpty: {
      Type: "Choice",
      Choices: [{ Variable: "$.inspection.empty", BooleanEquals: true, Next: "EmptyDay" }],
      Default: "TransformDay",
    },
    // A day without events: a success, with nothing to pay for.
    EmptyDay: { Type: "Pass", Parameters: DONE, End: true },
    ...transform(args),
    ...task(
      "LoadDay",
      {
        service: "glue",
        resource: glueResource(args),
        parameters: {
          JobName: args.loadJob,
          Arguments: { "--dataset.$": "$.dataset", "--date.$": "$.date", "--model_name.$": "$.modelName" },
        },
        resultSelector: { "run.$": "$.Id" },
        resultPath: "$.load",
        timeoutSeconds: args.glueTimeoutMinutes * 60 + OVERHEAD_SECONDS,
        next: "DayScored",
        remedy: "Read the load job's log. A load is one transaction: the day's earlier scores are unchanged.",
      },
      DAY_TAIL,
    ),
    ...readCause(DAY, "DayFailed"),
    DayScored: { Type: "Pass", Parameters: DONE, End: true },
    DayFailed: {
      Type: "Pass",
      Parameters: {
        "date.$": "$.date",
        error: {
          "Error.$": "$.failure.error.Error",
          "Cause.$": "States.Format('{}: {} ({})', $.failure.step, $.failure.error.Cause, $.failure.remedy)",
        },
      },
      End: true,
    },
  };
}

const glueResource = ({ notices }: InferenceDefinitionArgs) => `arn:${notices.partition}:states:::glue:startJobRun.sync`;

function extract(args: InferenceDefinitionArgs, name: string, file: Readonly<Record<string, string>>): States {
  return task(
    name,
    {
      service: "glue",
      resource: glueResource(args),
      parameters: {
        JobName: args.extractJob,
        Arguments: { "--dataset.$": "$.dataset", "--date.$": "$.date", ...file },
      },
      resultSelector: { "run.$": "$.Id" },
      resultPath: "$.extract",
      timeoutSeconds: args.glueTimeoutMinutes * 60 + OVERHEAD_SECONDS,
      next: "InspectDay",
      remedy:
        "Read the extract job's log; a column that disappeared has to come back, or be removed from the dataset's features.",
    },
    DAY_TAIL,
  );
}

/** Batch transform: the key stays beside its prediction, and the model sees only the features. */
function transform({ notices, keyArn, transformJob }: InferenceDefinitionArgs): States {
  return task(
    "TransformDay",
    {
      service: "sagemaker",
      resource: `arn:${notices.partition}:states:::sagemaker:createTransformJob.sync`,
      parameters: {
        "TransformJobName.$": "$.transformJobName",
        "ModelName.$": "$.modelName",
        BatchStrategy: "MultiRecord",
        // The largest payload that an XGBoost container answers within the client's time limit.
        MaxPayloadInMB: 6,
        ModelClientConfig: { InvocationsTimeoutInSeconds: 600, InvocationsMaxRetries: 3 },
        TransformInput: {
          DataSource: { S3DataSource: { S3DataType: "S3Prefix", "S3Uri.$": "$.inputUri" } },
          ContentType: "text/csv",
          CompressionType: "None",
          SplitType: "Line",
        },
        TransformOutput: { "S3OutputPath.$": "$.outputUri", Accept: "text/csv", AssembleWith: "Line", KmsKeyId: keyArn },
        DataProcessing: { InputFilter: "$[1:]", OutputFilter: "$[0,-1]", JoinSource: "Input" },
        TransformResources: {
          InstanceType: transformJob.instanceType,
          InstanceCount: transformJob.instanceCount,
          VolumeKmsKeyId: keyArn,
        },
        Tags: [{ Key: "dataset", "Value.$": "$.dataset" }],
      },
      resultSelector: { "job.$": "$.TransformJobName" },
      resultPath: "$.transform",
      timeoutSeconds: transformJob.timeoutMinutes * 60 + OVERHEAD_SECONDS,
      next: "LoadDay",
      remedy:
        "Read the job's log in /aws/sagemaker/TransformJobs. If there was no capacity, choose another instance type (risk:inference.instanceType).",
    },
    DAY_TAIL,
  );
}
