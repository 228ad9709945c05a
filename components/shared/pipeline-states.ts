/** Building blocks of the pipelines' state machines: tasks with retries, time limits and error handling, and what follows a failure. */

/** A state of the Amazon States Language with JSONPath. https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html */
export type State = Readonly<Record<string, unknown>> & { readonly Type: string };
export type States = Readonly<Record<string, State>>;

/** A state machine, or the processor of a Map. */
export interface Definition {
  readonly Comment: string;
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: States;
}

export type TaskService = "lambda" | "glue" | "sagemaker" | "sagemakerSdk" | "sns";

/**
 * Errors that may be gone at the next attempt, by the names that Step Functions gives them. Errors that a script or a gate reports are
 * never among them: the same data would fail again, and be paid for again.
 */
const TRANSIENT: Readonly<Record<TaskService, { readonly errors: readonly string[]; readonly intervalSeconds: number }>> = {
  lambda: {
    errors: [
      "Lambda.ServiceException",
      "Lambda.AWSLambdaException",
      "Lambda.SdkClientException",
      "Lambda.ClientExecutionTimeoutException",
      "Lambda.TooManyRequestsException",
    ],
    intervalSeconds: 2,
  },
  glue: {
    errors: [
      "Glue.AWSGlueException",
      "Glue.InternalServiceException",
      "Glue.OperationTimeoutException",
      "Glue.ThrottlingException",
    ],
    intervalSeconds: 10,
  },
  sagemaker: { errors: ["SageMaker.AmazonSageMakerException", "SageMaker.ResourceLimitExceededException"], intervalSeconds: 5 },
  sagemakerSdk: {
    errors: ["SageMaker.ConflictException", "SageMaker.SageMakerException", "SageMaker.ThrottlingException"],
    intervalSeconds: 2,
  },
  sns: { errors: ["SNS.AmazonSNSException", "SNS.InternalErrorException", "SNS.ThrottledException"], intervalSeconds: 2 },
};

/**
 * Refusals that last as long as somebody else's run: a nightly execution that meets a backfill waits for its turn. That is about 25
 * minutes on average and 48 at most, within the hour that a machine has for retries.
 */
const OCCUPIED: Readonly<Partial<Record<TaskService, readonly string[]>>> = {
  glue: ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"],
};

/** Backs off up to a minute, with jitter, so that executions started together don't retry together. */
export function retryOf(service: TaskService): readonly unknown[] {
  const { errors, intervalSeconds } = TRANSIENT[service];
  const occupied = OCCUPIED[service];
  return [
    ...(occupied === undefined
      ? []
      : [
          {
            ErrorEquals: occupied,
            IntervalSeconds: 60,
            MaxAttempts: 12,
            BackoffRate: 1.5,
            MaxDelaySeconds: 300,
            JitterStrategy: "FULL",
          },
        ]),
    {
      ErrorEquals: errors,
      IntervalSeconds: intervalSeconds,
      MaxAttempts: 5,
      BackoffRate: 2,
      MaxDelaySeconds: 60,
      JitterStrategy: "FULL",
    },
  ];
}

export interface TaskArgs {
  readonly service: TaskService;
  /** `arn:aws:states:::lambda:invoke`; the partition is filled in. */
  readonly resource: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Seconds of one attempt, including the wait for the job. */
  readonly timeoutSeconds: number;
  readonly resultSelector?: Readonly<Record<string, unknown>>;
  /** Path of the result; null drops it. */
  readonly resultPath: string | null;
  /** Next state; undefined ends the machine. */
  readonly next?: string;
  /** Next state by error, for errors that are not failures. The state finds the error at `$.failure`. */
  readonly expected?: Readonly<Record<string, string>>;
  /** What a person is told to do when the task fails. */
  readonly remedy: string;
}

/** Name of the state that explains the failure of a task. */
export const explainerOf = (task: string): string => `Explain${task}Failure`;

/** A task and the state that explains its failure; all failures continue at `tail`. */
export function task(name: string, args: TaskArgs, tail: string): States {
  const explainer = explainerOf(name);
  return {
    [name]: {
      Type: "Task",
      Resource: args.resource,
      Parameters: args.parameters,
      ...(args.resultSelector === undefined ? {} : { ResultSelector: args.resultSelector }),
      ResultPath: args.resultPath,
      TimeoutSeconds: args.timeoutSeconds,
      Retry: retryOf(args.service),
      Catch: Object.entries({ ...args.expected, "States.ALL": explainer }).map(([error, next]) => ({
        ErrorEquals: [error],
        ResultPath: "$.failure",
        Next: next,
      })),
      ...(args.next === undefined ? { End: true } : { Next: args.next }),
    },
    [explainer]: explain(name, args.remedy, tail),
  };
}

export function explain(step: string, remedy: string, tail: string): State {
  return {
    Type: "Pass",
    Parameters: { step, remedy, "error.$": "$.failure" },
    ResultPath: "$.failure",
    Next: tail,
  };
}

/** A call of a function; its result is at `<resultPath>.output`. */
export function functionTask(
  name: string,
  args: {
    readonly functionArn: string;
    readonly payload: Readonly<Record<string, unknown>> | string;
    readonly resultPath: string;
    /** Values put beside the result, for later states. */
    readonly constants?: Readonly<Record<string, unknown>>;
    readonly timeoutSeconds: number;
    readonly next: string;
    readonly expected?: TaskArgs["expected"];
    readonly remedy: string;
  },
  partition: string,
  tail: string,
): States {
  const payload = typeof args.payload === "string" ? { "Payload.$": args.payload } : { Payload: args.payload };
  return task(
    name,
    {
      service: "lambda",
      resource: `arn:${partition}:states:::lambda:invoke`,
      parameters: { FunctionName: args.functionArn, ...payload },
      resultSelector: { "output.$": "$.Payload", ...args.constants },
      resultPath: args.resultPath,
      // A function stops at its own limit; the margin is for a cold start and the call.
      timeoutSeconds: args.timeoutSeconds + 30,
      next: args.next,
      ...(args.expected === undefined ? {} : { expected: args.expected }),
      remedy: args.remedy,
    },
    tail,
  );
}

/**
 * States that turn `$.failure.error` into a form for people: a cause that is JSON (a Lambda error, a Glue run, a SageMaker job)
 * is replaced by the sentence in it. Starts at `<prefix>ReadCause` and continues at `next`.
 */
export function readCause(prefix: string, next: string): States {
  const cause = "$.failure.error.Cause";
  const members = ["errorMessage", "ErrorMessage", "FailureReason"] as const;
  const name = (suffix: string) => `${prefix}${suffix}`;
  return {
    [name("ReadCause")]: {
      Type: "Choice",
      Choices: [
        { Not: { Variable: cause, IsPresent: true }, Next: name("NoCause") },
        ...members.map((member) => ({ Variable: cause, StringMatches: `{*"${member}":*}`, Next: name("ParseCause") })),
      ],
      Default: next,
    },
    [name("NoCause")]: {
      Type: "Pass",
      Result: "No cause was given; the execution's history shows the state.",
      ResultPath: cause,
      Next: next,
    },
    [name("ParseCause")]: {
      Type: "Pass",
      Parameters: { "cause.$": `States.StringToJson(${cause})` },
      ResultPath: "$.failure.parsed",
      Next: name("ChooseCause"),
    },
    [name("ChooseCause")]: {
      Type: "Choice",
      Choices: members.map((member, index) => ({
        Variable: `$.failure.parsed.cause.${member}`,
        // Any other comparison with a missing path would be an error of its own.
        IsPresent: true,
        Next: name(CAUSE_STATES[index] ?? ""),
      })),
      Default: next,
    },
    ...Object.fromEntries(
      members.map((member, index) => [
        name(CAUSE_STATES[index] ?? ""),
        { Type: "Pass", InputPath: `$.failure.parsed.cause.${member}`, ResultPath: cause, Next: next },
      ]),
    ),
  };
}

const CAUSE_STATES = ["FunctionCause", "GlueCause", "SageMakerCause"] as const;

/** Where to reach people, and where notices go. */
export interface Notices {
  readonly topicArn: string;
  readonly region: string;
  readonly partition: string;
}

/** A message to the topic. The subject holds at most 100 ASCII characters. */
export function publish(
  { topicArn, partition }: Notices,
  subject: string,
  message: string,
): Pick<TaskArgs, "service" | "resource" | "parameters" | "timeoutSeconds" | "resultPath"> {
  return {
    service: "sns",
    resource: `arn:${partition}:states:::sns:publish`,
    parameters: {
      TopicArn: topicArn,
      ...(subject.startsWith("States.") ? { "Subject.$": subject } : { Subject: subject }),
      "Message.$": message,
    },
    timeoutSeconds: 60,
    resultPath: null,
  };
}

export const executionLink = (region: string): string =>
  `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/`;

/** The end of every failure: cause → notice (what failed, why, what to do, where to look) → failed execution. */
export function failureTail(pipeline: string, notices: Notices): States {
  const message =
    `States.Format('${pipeline} failed at {} with {}.\n\n{}\n\nWhat to do: {}\n\nExecution: ${executionLink(notices.region)}{}\nInput: {}', ` +
    "$.failure.step, $.failure.error.Error, $.failure.error.Cause, $.failure.remedy, $$.Execution.Id, " +
    "States.JsonToString($$.Execution.Input))";
  const { service, resource, parameters, timeoutSeconds } = publish(
    notices,
    `States.Format('${pipeline} failed at {}', $.failure.step)`,
    message,
  );
  return {
    ...readCause("", "NotifyFailure"),
    NotifyFailure: {
      Type: "Task",
      Resource: resource,
      Parameters: parameters,
      ResultPath: null,
      TimeoutSeconds: timeoutSeconds,
      Retry: retryOf(service),
      // If the notice can't be sent, the execution still fails with its own error, and raises the alarm.
      Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Failed" }],
      Next: "Failed",
    },
    Failed: { Type: "Fail", ErrorPath: "$.failure.error.Error", CausePath: "$.failure.error.Cause" },
  };
}

/** First state of {@link failureTail}. */
export const FAILURE_TAIL = "ReadCause";
