/** Runs of Glue jobs: what is kept of one, and how the API tells it. */
import type { Arguments, GlueJob } from "./job";

export type RunState = "STARTING" | "RUNNING" | "STOPPING" | "STOPPED" | "SUCCEEDED" | "FAILED" | "TIMEOUT";

export interface GlueRun {
  readonly id: string;
  readonly job: string;
  /** 0 for the first run, 1 for its first retry. */
  readonly attempt: number;
  readonly previousId?: string;
  readonly state: RunState;
  /** The run's own; defaults come from the job. */
  readonly arguments: Arguments;
  readonly timeoutMinutes: number;
  /** Epoch milliseconds. */
  readonly startedMs: number;
  /** When the script began; start-up does not count as execution. */
  readonly executingMs?: number;
  readonly modifiedMs: number;
  readonly completedMs?: number;
  readonly errorMessage?: string;
  readonly logGroup: string;
}

export const isOver = (state: RunState): boolean => ["STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"].includes(state);

/** Whole seconds from the script's start to the run's end, or to now. */
export function executionSeconds(run: GlueRun, nowMs: number): number {
  return run.executingMs === undefined ? 0 : Math.floor(((run.completedMs ?? nowMs) - run.executingMs) / 1000);
}

/** `JobRun` of the API. */
export function describeRun(run: GlueRun, job: GlueJob | undefined, nowMs: number): object {
  return {
    Id: run.id,
    Attempt: run.attempt,
    ...(run.previousId === undefined ? {} : { PreviousRunId: run.previousId }),
    JobName: run.job,
    JobMode: "SCRIPT",
    StartedOn: new Date(run.startedMs),
    LastModifiedOn: new Date(run.modifiedMs),
    ...(run.completedMs === undefined ? {} : { CompletedOn: new Date(run.completedMs) }),
    JobRunState: run.state,
    Arguments: run.arguments,
    ...(run.errorMessage === undefined ? {} : { ErrorMessage: run.errorMessage }),
    PredecessorRuns: [],
    ExecutionTime: executionSeconds(run, nowMs),
    Timeout: run.timeoutMinutes,
    LogGroupName: run.logGroup,
    ...(job === undefined ? {} : capacityOf(job)),
  };
}

/** `Job` of the API. */
export function describeJob(job: GlueJob): object {
  return {
    Name: job.name,
    JobMode: "SCRIPT",
    ...(job.description === undefined ? {} : { Description: job.description }),
    Role: job.roleArn,
    Command: {
      Name: job.command.name,
      ScriptLocation: job.command.scriptLocation,
      ...(job.command.pythonVersion === undefined ? {} : { PythonVersion: job.command.pythonVersion }),
    },
    DefaultArguments: job.defaultArguments,
    NonOverridableArguments: job.nonOverridableArguments,
    ExecutionProperty: { MaxConcurrentRuns: job.maxConcurrentRuns },
    MaxRetries: job.maxRetries,
    Timeout: job.timeoutMinutes,
    ...(job.connections.length === 0 ? {} : { Connections: { Connections: job.connections } }),
    ...capacityOf(job),
  };
}

function capacityOf(job: GlueJob): object {
  return {
    GlueVersion: job.glueVersion,
    ExecutionClass: job.executionClass,
    ...(job.workerType === undefined ? {} : { WorkerType: job.workerType }),
    ...(job.numberOfWorkers === undefined ? {} : { NumberOfWorkers: job.numberOfWorkers }),
    ...(job.maxCapacity === undefined ? {} : { MaxCapacity: job.maxCapacity }),
    ...(job.securityConfiguration === undefined ? {} : { SecurityConfiguration: job.securityConfiguration }),
  };
}
