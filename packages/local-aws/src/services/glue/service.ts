/** AWS Glue on one machine: a job's script runs as a Python process with the role and the arguments that it has in the cloud. */
import { randomBytes } from "node:crypto";
import { AwsError, type AwsService, type Part } from "../../contracts";
import { JobRuns } from "../jobs/job-runs";
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import { type Operation, serviceOf } from "../messaging/operations";
import type { GlueCatalog } from "./catalog";
import { catalogOperations } from "./catalog-operations";
import { type Arguments, argumentProblems, type GlueJob } from "./job";
import { describeRun, endingOf, executionSeconds, type GlueRun } from "./run";
import { type SchemaArns, schemaOperations } from "./schema-operations";
import { SchemaStore } from "./schema-store";
import { logGroupOf, runScript } from "./script";

export class GlueService implements AwsService {
  readonly name = "glue";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  readonly schemas: SchemaStore;
  readonly schemaArns: SchemaArns;
  private readonly jobs = new Map<string, GlueJob>();
  private readonly runs: JobRuns<GlueRun>;

  constructor(
    private readonly ports: JobPorts,
    private readonly catalog: GlueCatalog,
  ) {
    this.runs = new JobRuns<GlueRun>(ports, {
      table: "glue_job_runs",
      folder: "glue",
      graceMs: 0,
      interrupted: "The local runtime was stopped while the job ran; start a new run.",
      ended: endingOf,
      announce: (id, run) => this.announce(id, run),
    });
    this.schemas = new SchemaStore(ports.context);
    this.schemaArns = {
      registry: (name) => this.arn(`registry/${name}`),
      schema: (registry, name) => this.arn(`schema/${registry}/${name}`),
    };
    const service = serviceOf({
      name: this.name,
      iamPrefix: "glue",
      validationCode: "InvalidInputException",
      jsonVersion: "1.1",
      operations: { ...this.operations(), ...schemaOperations(this.schemas, this.schemaArns) },
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  /** The catalog's, and what a state machine needs to start, follow and stop a run. */
  private operations(): Record<string, Operation> {
    const onJob = (fields: readonly string[], run: (jobName: string, input: Input) => object): Operation => ({
      fields: ["JobName", ...fields],
      resource: (input) => this.jobArn(input.needText("JobName")),
      run: (input) => run(input.needText("JobName"), input),
    });
    return {
      ...catalogOperations(this.catalog, this.ports.context),
      StartJobRun: onJob(["Arguments"], (jobName, input) => ({
        JobRunId: this.start(jobName, input.textMap("Arguments") ?? {}),
      })),
      GetJobRun: onJob(["RunId"], (jobName, input) => {
        const id = input.needText("RunId");
        const run = this.findRun(jobName, id);
        if (run !== undefined) return { JobRun: describeRun(id, run, this.ports.context.clock.now()) };
        throw new AwsError("EntityNotFoundException", `Entity not found: job run ${id} of job ${jobName}.`);
      }),
      BatchStopJobRun: onJob(["JobRunIds"], (jobName, input) => this.stopRuns(jobName, input.texts("JobRunIds") ?? [])),
    };
  }

  private stopRuns(JobName: string, ids: readonly string[]): object {
    const stopped: object[] = [];
    const errors: object[] = [];
    for (const JobRunId of ids) {
      const run = this.findRun(JobName, JobRunId);
      const error = (ErrorCode: string, ErrorMessage: string) =>
        errors.push({ JobName, JobRunId, ErrorDetail: { ErrorCode, ErrorMessage } });
      if (run === undefined) error("EntityNotFoundException", `Job run ${JobRunId} of job ${JobName} not found.`);
      else if (this.runs.stop(JobRunId, { state: "STOPPING" })) stopped.push({ JobName, JobRunId });
      else error("JobRunNotInStoppableStateException", `Job run ${JobRunId} is ${run.state}: it cannot be stopped any more.`);
    }
    return { SuccessfulSubmissions: stopped, Errors: errors };
  }

  part(): Part {
    return { title: "Glue", start: () => this.runs.recover(), end: () => this.runs.shutdown() };
  }

  jobArn(name: string): string {
    return this.arn(`job/${name}`);
  }

  private arn(resource: string): string {
    return `arn:aws:glue:${this.ports.context.region}:${this.ports.context.accountId}:${resource}`;
  }

  putJob(job: GlueJob): void {
    this.jobs.set(job.name, job);
  }

  /** What runs goes on to its end. */
  deleteJob(name: string): void {
    this.jobs.delete(name);
  }

  findJob(name: string): GlueJob | undefined {
    return this.jobs.get(name);
  }

  findRun(jobName: string, id: string): GlueRun | undefined {
    const run = this.runs.get(id);
    return run?.job === jobName ? run : undefined;
  }

  /** @throws AwsError ConcurrentRunsExceededException, InvalidInputException, EntityNotFoundException. @returns the run's id */
  start(jobName: string, own: Arguments): string {
    const job = this.jobs.get(jobName);
    if (job === undefined) {
      const known = [...this.jobs.keys()].join(", ") || "none";
      throw new AwsError("EntityNotFoundException", `Job with name: ${jobName} not found. Jobs: ${known}.`);
    }
    const merged = { ...job.defaultArguments, ...own };
    const problems = argumentProblems(merged);
    if (problems.length > 0) throw new AwsError("InvalidInputException", `${jobName}: ${problems.join("; ")}.`);
    const active = this.runs.active().filter((id) => this.runs.get(id)?.job === jobName).length;
    if (active >= job.maxConcurrentRuns) {
      throw new AwsError(
        "ConcurrentRunsExceededException",
        `Concurrent runs exceeded for ${jobName}: ${active} of ${job.maxConcurrentRuns} (executionProperty.maxConcurrentRuns) are running.`,
      );
    }
    const { clock } = this.ports.context;
    const id = `jr_${randomBytes(32).toString("hex")}`;
    const { timeoutMinutes } = job;
    const [now, logGroup] = [clock.now(), logGroupOf(merged)];
    const run: GlueRun = {
      job: jobName,
      state: "STARTING",
      arguments: own,
      timeoutMinutes,
      startedMs: now,
      modifiedMs: now,
      logGroup,
    };
    this.runs.start(id, run, async (control, folder) => {
      const onExecuting = () => {
        this.runs.change(id, { state: "RUNNING", executingMs: clock.now() });
        control.limit(timeoutMinutes * 60_000);
      };
      await runScript({ ports: this.ports, control, job, merged, id, folder, onExecuting });
      return undefined;
    });
    return id;
  }

  /** Resolves when nothing runs. */
  settled(): Promise<void> {
    return this.runs.settled();
  }

  private announce(id: string, run: GlueRun): void {
    const { state, job, errorMessage } = run;
    const { context, metric, publish } = this.ports;
    const dimensions = { JobName: job, JobRunId: "ALL", Type: "count" };
    // Names of Glue's observability metrics.
    const outcome = state === "SUCCEEDED" ? "glue.succeed.ALL" : "glue.error.ALL";
    metric("Glue", outcome, { ...dimensions, ObservabilityGroup: "error" }, 1, "Count");
    const elapsedMs = executionSeconds(run, context.clock.now()) * 1000;
    metric("Glue", "glue.driver.aggregate.elapsedTime", dimensions, elapsedMs, "Milliseconds");
    publish({
      source: "aws.glue",
      detailType: "Glue Job State Change",
      resources: [],
      detail: {
        jobName: job,
        severity: state === "SUCCEEDED" || state === "STOPPED" ? "INFO" : state === "TIMEOUT" ? "WARN" : "ERROR",
        state,
        jobRunId: id,
        message: errorMessage ?? (state === "SUCCEEDED" ? "Job run succeeded" : "Job run stopped"),
      },
    });
    context.log(`Glue job ${job}: ${state}${errorMessage === undefined ? "" : `: ${errorMessage}`}`);
  }
}
