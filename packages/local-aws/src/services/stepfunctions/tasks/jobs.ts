/** `.sync` integrations: start a job, watch it, stop it when its task ends first. */

import { messageOf } from "@risk/program-graph";
import { AwsError } from "../../../contracts";
import { StatesError } from "../language/errors";
import { type ErrorNames, errorNames, isTransient, statesError, withNames } from "./errors";
import type { Integration, Structure, TaskPort } from "./integration";
import { shown } from "./shapes";

type Call = readonly [action: string, input: object];

interface Job {
  /** Signing name. */
  readonly service: string;
  readonly errors: ErrorNames;
  /** API action that starts the job. */
  readonly start: string;
  /** Asks for its state. */
  readonly describe: (parameters: Structure, started: Structure) => Call;
  /** Reads the answer of `describe`; `result` is the task's. */
  readonly state: (described: Structure) => { readonly status: "running" | "succeeded" | "failed"; readonly result: Structure };
  readonly stop: (parameters: Structure, started: Structure) => Call;
}

/** Describe, stop and status of a SageMaker job are named after it. */
export function sageMakerJob(kind: "Training" | "Transform"): Job {
  const name = (parameters: Structure) => ({ [`${kind}JobName`]: parameters[`${kind}JobName`] });
  return {
    service: "sagemaker",
    errors: errorNames.sageMaker,
    start: `Create${kind}Job`,
    describe: (parameters) => [`Describe${kind}Job`, name(parameters)],
    state: (described) => {
      const status = described[`${kind}JobStatus`];
      const ended = status === "Failed" || status === "Stopped" ? "failed" : "running";
      return { status: status === "Completed" ? "succeeded" : ended, result: described };
    },
    stop: (parameters) => [`Stop${kind}Job`, name(parameters)],
  };
}

const glueEnds = ["FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"];

export const glueJob: Job = {
  service: "glue",
  errors: errorNames.glue,
  start: "StartJobRun",
  describe: ({ JobName }, { JobRunId }) => ["GetJobRun", { JobName, RunId: JobRunId }],
  state: ({ JobRun }) => {
    const run = Object(JobRun) as Structure;
    const state = String(run.JobRunState);
    const ended = glueEnds.includes(state) ? "failed" : "running";
    return { status: state === "SUCCEEDED" ? "succeeded" : ended, result: run };
  },
  stop: ({ JobName }, { JobRunId }) => ["BatchStopJobRun", { JobName, JobRunIds: [JobRunId] }],
};

export function jobIntegration(job: Job): Integration["run"] {
  return async (parameters, port) => {
    port.signal.throwIfAborted();
    const started = await withNames(job.errors, port.call(job.service, job.start, parameters));
    try {
      port.submitted(shown(started, "milliseconds"));
      const state = await watch(job, job.describe(parameters, started), port);
      const result = shown(state.result, "milliseconds");
      if (state.status === "succeeded") return result;
      throw new StatesError("States.TaskFailed", JSON.stringify(result));
    } catch (error) {
      if (port.signal.aborted) await stop(job, job.stop(parameters, started), port);
      throw error;
    }
  };
}

/** Polls in a row that may fail before the task does. */
const maxFailures = 20;

async function watch(job: Job, [action, input]: Call, port: TaskPort) {
  for (let failures = 0; ; ) {
    port.signal.throwIfAborted();
    try {
      const state = job.state(await port.call(job.service, action, input));
      if (state.status !== "running") return state;
      failures = 0;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // A failed poll says nothing about the job.
      failures += 1;
      if (!isTransient(error) || failures > maxFailures) throw statesError(job.errors, error);
    }
    await port.pause(port.pollMs);
  }
}

/** Best effort, as on AWS: the task has ended already. */
async function stop(job: Job, [action, input]: Call, port: TaskPort): Promise<void> {
  try {
    await port.call(job.service, action, input);
  } catch (error) {
    port.log(`Step Functions: ${action} of ${job.service} for ${port.executionArn} failed: ${messageOf(error)}`);
  }
}
