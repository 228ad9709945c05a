/** `.sync` integrations: start a job, watch it, stop it when its task ends first. */
import { AwsError } from "../../../contracts";
import { StatesError } from "../language/errors";
import { type ErrorNames, isTransient, statesError, withNames } from "./errors";
import type { Integration, TaskPort } from "./integration";
import { asText, lowerNames, parametersOf, shown, upperNames } from "./shapes";

type Answer = Readonly<Record<string, unknown>>;

export interface Job {
  /** Signing name. */
  readonly service: string;
  readonly errors: ErrorNames;
  /** API action that starts the job. */
  readonly start: string;
  /** The request that starts it. */
  readonly request?: (parameters: Answer) => object;
  /** Action and request that tell its state. */
  readonly describe: (parameters: Answer, started: Answer) => readonly [action: string, input: object];
  /** Reads the answer of `describe`; `result` is the task's. */
  readonly state: (described: Answer) => { readonly status: "running" | "succeeded" | "failed"; readonly result: unknown };
  /** Action and request that stop it. */
  readonly stop: (parameters: Answer, started: Answer) => readonly [action: string, input: object];
}

const member = (answer: Answer, name: string): Answer => {
  const value = answer[name];
  return typeof value === "object" && value !== null ? (value as Answer) : {};
};

const glueErrors: ErrorNames = { prefix: "Glue", generic: "AWSGlueException" };
const sageMakerErrors: ErrorNames = { prefix: "SageMaker", generic: "AmazonSageMakerException" };
const statesErrors: ErrorNames = { prefix: "StepFunctions", generic: "AWSStepFunctionsException" };

/** Describe, stop and status of a SageMaker job are named after it. */
function sageMakerJob(kind: "Training" | "Transform"): Job {
  const name = (parameters: Answer) => ({ [`${kind}JobName`]: parameters[`${kind}JobName`] });
  return {
    service: "sagemaker",
    errors: sageMakerErrors,
    start: `Create${kind}Job`,
    describe: (parameters) => [`Describe${kind}Job`, name(parameters)],
    state: (described) => {
      const status = described[`${kind}JobStatus`];
      const ended = status === "Failed" || status === "Stopped" ? "failed" : "running";
      return { status: status === "Completed" ? "succeeded" : ended, result: shown(described, "milliseconds") };
    },
    stop: (parameters) => [`Stop${kind}Job`, name(parameters)],
  };
}

const glueEnds = ["FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"];

const glueJob: Job = {
  service: "glue",
  errors: glueErrors,
  start: "StartJobRun",
  describe: (parameters, started) => ["GetJobRun", { JobName: parameters.JobName, RunId: started.JobRunId }],
  state: (described) => {
    const run = member(described, "JobRun");
    const state = String(run.JobRunState);
    const ended = glueEnds.includes(state) ? "failed" : "running";
    return { status: state === "SUCCEEDED" ? "succeeded" : ended, result: shown(run, "milliseconds") };
  },
  stop: (parameters, started) => ["BatchStopJobRun", { JobName: parameters.JobName, JobRunIds: [started.JobRunId] }],
};

/** `.sync` gives the child's output as text, `.sync:2` as JSON. */
function childExecution(parsed: boolean): Job {
  return {
    service: "states",
    errors: statesErrors,
    start: "StartExecution",
    request: startRequest,
    describe: (_parameters, started) => ["DescribeExecution", { executionArn: started.executionArn }],
    state: (described) => {
      const names = upperNames(shown(described, "milliseconds"));
      const json = (name: string) =>
        typeof names[name] === "string" ? { [name]: JSON.parse(String(names[name])) as unknown } : {};
      const status = described.status === "RUNNING" ? "running" : described.status === "SUCCEEDED" ? "succeeded" : "failed";
      return { status, result: parsed ? { ...names, ...json("Input"), ...json("Output") } : names };
    },
    stop: (_parameters, started) => ["StopExecution", { executionArn: started.executionArn }],
  };
}

/** StartExecution takes its input as text. */
export function startRequest({ Input, ...rest }: Answer): object {
  return { ...lowerNames(rest), ...(Input === undefined ? {} : { input: asText(Input) }) };
}

/** By resource, e.g. `glue:startJobRun.sync`. */
export const jobs: Readonly<Record<string, Job>> = {
  "glue:startJobRun.sync": glueJob,
  "sagemaker:createTrainingJob.sync": sageMakerJob("Training"),
  "sagemaker:createTransformJob.sync": sageMakerJob("Transform"),
  "states:startExecution.sync": childExecution(false),
  "states:startExecution.sync:2": childExecution(true),
};

export function jobIntegration(resourceType: string, resource: string, job: Job): Integration {
  return {
    resourceType,
    resource,
    isFunctionArn: false,
    checkParameters: parametersOf,
    run: async (given, port) => {
      const parameters = parametersOf(given);
      port.signal.throwIfAborted();
      const started = await withNames(job.errors, port.call(job.service, job.start, job.request?.(parameters) ?? parameters));
      try {
        port.submitted(shown(started, "milliseconds"));
        const { status, result } = await watch(job, parameters, started, port);
        if (status === "succeeded") return result;
        throw new StatesError("States.TaskFailed", JSON.stringify(result));
      } catch (error) {
        if (port.signal.aborted) await stop(job, parameters, started, port);
        throw error;
      }
    },
  };
}

/** Questions in a row that may fail before the task does. */
const maxFailures = 20;

async function watch(job: Job, parameters: Answer, started: Answer, port: TaskPort) {
  const [action, input] = job.describe(parameters, started);
  for (let failures = 0; ; ) {
    port.signal.throwIfAborted();
    try {
      const state = job.state(await port.call(job.service, action, input));
      if (state.status !== "running") return state;
      failures = 0;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // A question that the service could not answer just now says nothing about the job.
      failures += 1;
      if (!isTransient(error) || failures > maxFailures) throw statesError(job.errors, error);
    }
    await port.pause(port.pollMs);
  }
}

/** Best effort, as on AWS: the task has ended already. */
async function stop(job: Job, parameters: Answer, started: Answer, port: TaskPort): Promise<void> {
  const [action, input] = job.stop(parameters, started);
  try {
    await port.call(job.service, action, input);
  } catch (error) {
    port.log(
      `Step Functions: ${action} of ${job.service} for ${port.executionArn} failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
