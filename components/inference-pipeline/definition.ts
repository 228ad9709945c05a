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

/** Seconds for Glue and SageMaker to find machines, besides the work itself. */
const OVERHEAD_SECONDS = 1800;
/** States of one day have this prefix, since names are unique in the whole machine. */
const DAY = "Day";
const DAY_TAIL = `${DAY}ReadCause`;

export function inferenceDefinition(args: InferenceDefinitionArgs): Definition {
  const { notices, plan, batchGate, maxBackfillDays, mapConcurrency } = args;
  return {
    Comment: "Scores days in batch with the champion and loads the scores",
    StartAt: "Plan",
    // The longest backfill with every day at its limits; an hour on top for retries.
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
      // Whoever asks for days should hear that there is no model; a schedule waits for one night after night.
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
        "Start a new execution for the days: those that are loaded stay as they are.",
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
            "Scores of the failed days are as they were before. Remove the cause that the message names for each day and start a new execution for those days.",
        },
        notices.partition,
        FAILURE_TAIL,
      ),
      Scored: { Type: "Pass", InputPath: "$.summary.output", End: true },
      ...failureTail("Batch scoring", notices),
    },
  };
}

/** What the summary needs of a day: the days of a backfill come together in one state, which holds 256 KB. */
const DONE = { "date.$": "$.date", "inspection.$": "$.inspection" };

const daySeconds = ({ glueTimeoutMinutes, transformJob }: InferenceDefinitionArgs): number =>
  2 * (glueTimeoutMinutes * 60 + OVERHEAD_SECONDS) + transformJob.timeoutMinutes * 60 + OVERHEAD_SECONDS;

/** What happens to one day, whose state is the plan's own entry for it. A failed day ends with `error` and spoils no other. */
function dayStates(args: InferenceDefinitionArgs): States {
  const { batchGate, notices } = args;
  return {
    ChooseDaySource: {
      Type: "Choice",
      // An argument without a value would take the next one's name for it.
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
    // Nothing happened on that day: a success, and nothing to pay for.
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
        remedy: "Read the load job's log. Loads are one transaction: the day's earlier scores are as they were.",
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
      remedy: "Read the extract job's log; a column that vanished has to come back, or leave the dataset's features.",
    },
    DAY_TAIL,
  );
}

/** Batch transform: the key stays beside its prediction, the model sees the features alone. */
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
        // The largest payload whose answer an XGBoost container gives within the client's time limit.
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
        "Read the job's log in /aws/sagemaker/TransformJobs. No capacity: another instance type (risk:inference.instanceType).",
    },
    DAY_TAIL,
  );
}
