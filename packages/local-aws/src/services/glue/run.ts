/** Runs of Glue jobs: what is kept of one, and how the API shows it. */
import type { JobRecord, Outcome } from "../jobs/job-runs";
import type { Arguments } from "./job";

export type RunState = "STARTING" | "RUNNING" | "STOPPING" | "STOPPED" | "SUCCEEDED" | "FAILED" | "TIMEOUT";

export interface GlueRun extends JobRecord {
  readonly job: string;
  readonly state: RunState;
  /** The run's own; defaults come from the job. */
  readonly arguments: Arguments;
  readonly timeoutMinutes: number;
  /** When the script began; start-up does not count as execution. */
  readonly executingMs?: number;
  readonly errorMessage?: string;
  readonly logGroup: string;
}

/** Whole seconds from the script's start to the run's end, or to now. */
export function executionSeconds({ executingMs, endedMs }: GlueRun, nowMs: number): number {
  return executingMs === undefined ? 0 : Math.floor(((endedMs ?? nowMs) - executingMs) / 1000);
}

export function endingOf({ error, endedBy }: Outcome, { timeoutMinutes }: GlueRun): Partial<GlueRun> {
  if (error !== undefined) return { state: "FAILED", errorMessage: error };
  if (endedBy === "timeout")
    return { state: "TIMEOUT", errorMessage: `Timeout: the run took longer than its ${timeoutMinutes} minutes.` };
  return { state: endedBy === undefined ? "SUCCEEDED" : "STOPPED" };
}

/** `JobRun` of the API. */
export function describeRun(id: string, run: GlueRun, nowMs: number): object {
  return {
    Id: id,
    // Nothing is tried again here.
    Attempt: 0,
    JobName: run.job,
    JobMode: "SCRIPT",
    StartedOn: new Date(run.startedMs),
    LastModifiedOn: new Date(run.modifiedMs),
    ...(run.endedMs === undefined ? {} : { CompletedOn: new Date(run.endedMs) }),
    JobRunState: run.state,
    Arguments: run.arguments,
    ...(run.errorMessage === undefined ? {} : { ErrorMessage: run.errorMessage }),
    PredecessorRuns: [],
    ExecutionTime: executionSeconds(run, nowMs),
    Timeout: run.timeoutMinutes,
    LogGroupName: run.logGroup,
  };
}
