/** AWS Glue on one machine: a job's script runs as a Python process with the role and the arguments that it has in the cloud. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { AwsError, type AwsService, type Part } from "../../contracts";
import { Interrupted, RunControl } from "../jobs/control";
import { Documents } from "../jobs/documents";
import type { JobPorts } from "../jobs/ports";
import { serviceOf } from "../messaging/operations";
import { type Arguments, argumentProblems, type GlueJob, mergedArguments } from "./job";
import { glueOperations } from "./operations";
import { executionSeconds, type GlueRun, isOver, type RunState } from "./run";
import { logGroupOf, runScript } from "./script";

export { glueBodies } from "./bodies";

const INTERRUPTED = "The local runtime was stopped while the job ran; start a new run.";

interface Ending {
  readonly state: RunState;
  readonly message?: string;
}

export class GlueService implements AwsService {
  readonly name = "glue";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  private readonly jobs = new Map<string, GlueJob>();
  private readonly store: Documents<GlueRun>;
  private readonly running = new Map<string, { readonly control: RunControl; readonly done: Promise<void> }>();

  constructor(readonly ports: JobPorts) {
    this.store = new Documents(ports.context.db, "glue_runs");
    const service = serviceOf({
      name: this.name,
      iamPrefix: "glue",
      validationCode: "InvalidInputException",
      jsonVersion: "1.1",
      operations: glueOperations(this),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  part(): Part {
    return { title: "Glue", start: () => this.recover(), end: () => this.shutdown() };
  }

  jobArn(name: string): string {
    return `arn:aws:glue:${this.ports.context.region}:${this.ports.context.accountId}:job/${name}`;
  }

  putJob(job: GlueJob): void {
    this.jobs.set(job.name, job);
  }

  /** What runs goes on to its end. */
  deleteJob(name: string): void {
    this.jobs.delete(name);
  }

  /** @throws AwsError EntityNotFoundException */
  job(name: string): GlueJob {
    const job = this.jobs.get(name);
    if (job !== undefined) return job;
    throw new AwsError(
      "EntityNotFoundException",
      `Job with name: ${name} not found. Jobs: ${[...this.jobs.keys()].join(", ") || "none"}.`,
    );
  }

  findJob(name: string): GlueJob | undefined {
    return this.jobs.get(name);
  }

  /** @throws AwsError EntityNotFoundException */
  run(jobName: string, id: string): GlueRun {
    const run = this.store.get(id);
    if (run !== undefined && run.job === jobName) return run;
    throw new AwsError("EntityNotFoundException", `Entity not found: job run ${id} of job ${jobName}.`);
  }

  /** Newest first. */
  runs(jobName: string): GlueRun[] {
    return this.store
      .all()
      .filter(({ job }) => job === jobName)
      .reverse();
  }

  /** @throws AwsError ConcurrentRunsExceededException, InvalidInputException, EntityNotFoundException. @returns the run's id */
  start(jobName: string, own: Arguments, timeoutMinutes: number | undefined): string {
    const job = this.job(jobName);
    const problems = argumentProblems(mergedArguments(job, own));
    if (problems.length > 0) throw new AwsError("InvalidInputException", `${jobName}: ${problems.join("; ")}.`);
    const active = this.runs(jobName).filter(({ state }) => !isOver(state)).length;
    if (active >= job.maxConcurrentRuns) {
      throw new AwsError(
        "ConcurrentRunsExceededException",
        `Concurrent runs exceeded for ${jobName}: ${active} of ${job.maxConcurrentRuns} (executionProperty.maxConcurrentRuns) are running.`,
      );
    }
    return this.begin(job, own, timeoutMinutes ?? job.timeoutMinutes, undefined);
  }

  /** Ends a run that is not over yet. Returns false when it is. */
  stop(run: GlueRun): boolean {
    const active = this.running.get(run.id);
    if (active === undefined) return false;
    this.change(run.id, { state: "STOPPING" });
    active.control.end("stop");
    return true;
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  private begin(job: GlueJob, own: Arguments, timeoutMinutes: number, previous: GlueRun | undefined): string {
    const now = this.ports.context.clock.now();
    const attempt = (previous?.attempt ?? -1) + 1;
    // Retries carry the id of the first run.
    const id =
      previous === undefined
        ? `jr_${randomBytes(32).toString("hex")}`
        : `${previous.id.replace(/_attempt_\d+$/, "")}_attempt_${attempt}`;
    this.store.put(id, {
      id,
      job: job.name,
      attempt,
      ...(previous === undefined ? {} : { previousId: previous.id }),
      state: "STARTING",
      arguments: own,
      timeoutMinutes,
      startedMs: now,
      modifiedMs: now,
      logGroup: logGroupOf(mergedArguments(job, own)),
    });
    const control = new RunControl(this.ports.after, 0);
    const done = this.execute(job, id, control).finally(() => control.close());
    this.running.set(id, { control, done });
    return id;
  }

  private async execute(job: GlueJob, id: string, control: RunControl): Promise<void> {
    const ending = await this.ending(job, id, control);
    const run = this.finish(id, ending);
    this.running.delete(id);
    // A run that reached its time limit is not tried again.
    if (ending.state === "FAILED" && control.reason === undefined && run.attempt < job.maxRetries)
      this.begin(job, run.arguments, run.timeoutMinutes, run);
  }

  private async ending(job: GlueJob, id: string, control: RunControl): Promise<Ending> {
    try {
      const error = await runScript({
        ports: this.ports,
        control,
        job,
        run: this.run(job.name, id),
        folder: join(this.folder, id),
        onExecuting: () => {
          this.change(id, { state: "RUNNING", executingMs: this.ports.context.clock.now() });
          control.limit(this.run(job.name, id).timeoutMinutes * 60_000);
        },
      });
      return error === undefined ? { state: "SUCCEEDED" } : { state: "FAILED", message: error };
    } catch (error) {
      if (!(error instanceof Interrupted))
        return { state: "FAILED", message: error instanceof Error ? error.message : String(error) };
      if (error.reason === "timeout")
        return {
          state: "TIMEOUT",
          message: `Timeout: the run took longer than its ${this.run(job.name, id).timeoutMinutes} minutes.`,
        };
      return error.reason === "stop" ? { state: "STOPPED" } : { state: "FAILED", message: INTERRUPTED };
    }
  }

  private finish(id: string, { state, message }: Ending): GlueRun {
    const { context, metric } = this.ports;
    const run = this.change(id, {
      state,
      completedMs: context.clock.now(),
      ...(message === undefined ? {} : { errorMessage: message }),
    });
    const dimensions = { JobName: run.job, JobRunId: "ALL", Type: "count" };
    // Names of Glue's observability metrics.
    const outcome = state === "SUCCEEDED" ? "glue.succeed.ALL" : "glue.error.ALL";
    metric("Glue", outcome, { ...dimensions, ObservabilityGroup: "error" }, 1, "Count");
    const elapsedMs = executionSeconds(run, context.clock.now()) * 1000;
    metric("Glue", "glue.driver.aggregate.elapsedTime", dimensions, elapsedMs, "Milliseconds");
    this.ports.publish({
      source: "aws.glue",
      detailType: "Glue Job State Change",
      resources: [],
      detail: {
        jobName: run.job,
        severity: state === "SUCCEEDED" || state === "STOPPED" ? "INFO" : state === "TIMEOUT" ? "WARN" : "ERROR",
        state,
        jobRunId: id,
        message: message ?? (state === "SUCCEEDED" ? "Job run succeeded" : "Job run stopped"),
      },
    });
    context.log(`Glue job ${run.job}: ${state}${message === undefined ? "" : `: ${message}`}`);
    return run;
  }

  private change(id: string, changes: Partial<GlueRun>): GlueRun {
    const run = this.store.get(id);
    if (run === undefined) throw new Error(`The Glue run ${id} is not stored.`);
    const changed = { ...run, ...changes, modifiedMs: this.ports.context.clock.now() };
    this.store.put(id, changed);
    return changed;
  }

  private get folder(): string {
    return join(this.ports.context.dataDir, "glue");
  }

  /** Runs that were under way when the runtime was killed will not go on. Nothing that listens to events is there yet. */
  private recover(): void {
    rmSync(this.folder, { recursive: true, force: true });
    for (const run of this.store.all().filter(({ state }) => !isOver(state)))
      this.change(run.id, { state: "FAILED", errorMessage: INTERRUPTED, completedMs: this.ports.context.clock.now() });
  }

  private async shutdown(): Promise<void> {
    for (const { control } of this.running.values()) control.end("shutdown");
    await this.settled();
  }
}
