/** Jobs of one kind (training, transform): unique names, their status and their events. */
import { AwsError } from "../../contracts";
import { type JobRecord, JobRuns, type Outcome, type Work } from "../jobs/job-runs";
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { kept, type Shape } from "./request";

export interface NamedJob extends JobRecord {
  readonly name: string;
  readonly status: "InProgress" | "Completed" | "Failed" | "Stopping" | "Stopped";
  /** Members of the request that Describe returns. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly failureReason?: string;
  /** When the work itself began, epoch milliseconds. */
  readonly workingMs?: number;
  /** Of a training job: its secondary status, and the URI of its model. */
  readonly secondary?: string;
  readonly artifacts?: string;
}

/** SageMaker keeps this many characters. */
const REASON_LIMIT = 1024;
/** SageMaker sends SIGTERM, waits 120 seconds and sends SIGKILL. */
const STOP_GRACE_MS = 120_000;

interface Kind {
  readonly name: "Training" | "Transform";
  /** Of the request that creates one. */
  readonly shape: Shape;
  /** @throws AwsError that names what is wrong with the request, before anything is stored */
  readonly prepare: (input: Input, job: { readonly arn: string; readonly change: (changes: Partial<NamedJob>) => void }) => Work;
  /** Describe's response beyond the request; also the detail of state-change events. */
  readonly describe: (job: NamedJob) => Readonly<Record<string, unknown>>;
  /** Further members of a job that begins, was asked to stop, or has ended. */
  readonly entered: (status: NamedJob["status"], outcome: Outcome) => Partial<NamedJob>;
}

export class NamedJobs {
  readonly runs: JobRuns<NamedJob>;
  private readonly label: string;

  constructor(
    private readonly ports: JobPorts,
    private readonly kind: Kind,
  ) {
    const folder = kind.name.toLowerCase();
    this.label = `${folder} job`;
    this.runs = new JobRuns<NamedJob>(ports, {
      table: `sagemaker_${folder}_runs`,
      folder: `sagemaker/${folder}`,
      graceMs: STOP_GRACE_MS,
      interrupted: "InternalServerError: The local runtime was stopped while the job ran; start it again under another name.",
      ended: (outcome) => this.ended(outcome),
      announce: (name, job) => {
        this.publish(job);
        const reason = job.failureReason === undefined ? "" : `: ${job.failureReason}`;
        ports.context.log(`SageMaker ${this.label} ${name}: ${job.status}${reason}`);
      },
    });
  }

  /** Create, Describe and Stop. */
  operations(): Record<string, Operation> {
    const { name: kind, shape } = this.kind;
    const field = `${kind}JobName`;
    const onJob = (fields: readonly string[], run: (name: string, input: Input) => object): Operation => ({
      fields,
      resource: (input) => this.arnOf(input.needText(field)),
      run: (input) => run(input.needText(field), input),
    });
    return {
      [`Create${kind}Job`]: onJob(Object.keys(shape), (name, input) => this.start(name, input)),
      [`Describe${kind}Job`]: onJob([field], (name) => this.describe(this.get(name))),
      [`Stop${kind}Job`]: onJob([field], (name) => this.stop(name)),
    };
  }

  private arnOf(name: string): string {
    const { region, accountId } = this.ports.context;
    return `arn:aws:sagemaker:${region}:${accountId}:${this.kind.name.toLowerCase()}-job/${name}`;
  }

  /** @throws AwsError ResourceInUse when the name was used before */
  private start(name: string, input: Input): object {
    const arn = this.arnOf(name);
    const work = this.kind.prepare(input, { arn, change: (changes) => this.runs.change(name, changes) });
    if (this.runs.get(name) !== undefined) {
      throw new AwsError(
        "ResourceInUse",
        `${this.kind.name} job names must be unique within an AWS account and region, and a ${this.label} with this name already exists (${arn})`,
      );
    }
    const now = this.ports.context.clock.now();
    const begun = { name, status: "InProgress", request: kept(this.kind.shape, input), startedMs: now, modifiedMs: now } as const;
    const job = { ...begun, ...this.kind.entered("InProgress", {}) };
    this.runs.start(name, job, work);
    this.publish(job);
    return { [`${this.kind.name}JobArn`]: arn };
  }

  private get(name: string): NamedJob {
    const job = this.runs.get(name);
    if (job !== undefined) return job;
    throw new AwsError("ValidationException", `Requested resource not found: ${this.label} ${name}.`);
  }

  private stop(name: string): object {
    const { status } = this.get(name);
    const changes = { ...this.kind.entered("Stopping", {}), status: "Stopping" } as const;
    if (status !== "InProgress" || !this.runs.stop(name, changes))
      throw new AwsError("ValidationException", `The request was rejected because the ${this.label} is in status ${status}.`);
    return {};
  }

  private ended(outcome: Outcome): Partial<NamedJob> {
    const { error, endedBy } = outcome;
    const status = error !== undefined ? "Failed" : endedBy === undefined ? "Completed" : "Stopped";
    const failureReason = error === undefined ? {} : { failureReason: error.slice(0, REASON_LIMIT) };
    return { ...this.kind.entered(status, outcome), status, ...failureReason };
  }

  private describe(job: NamedJob): Readonly<Record<string, unknown>> {
    const { name } = this.kind;
    return {
      ...job.request,
      [`${name}JobName`]: job.name,
      [`${name}JobArn`]: this.arnOf(job.name),
      [`${name}JobStatus`]: job.status,
      CreationTime: new Date(job.startedMs),
      ...(job.failureReason === undefined ? {} : { FailureReason: job.failureReason }),
      ...(job.workingMs === undefined ? {} : { [`${name}StartTime`]: new Date(job.workingMs) }),
      ...(job.endedMs === undefined ? {} : { [`${name}EndTime`]: new Date(job.endedMs) }),
      ...this.kind.describe(job),
    };
  }

  private publish(job: NamedJob): void {
    this.ports.publish({
      source: "aws.sagemaker",
      detailType: `SageMaker ${this.kind.name} Job State Change`,
      resources: [this.arnOf(job.name)],
      detail: withEpochTimes(this.describe(job)),
    });
  }
}

/** Events of jobs give times in epoch milliseconds. */
function withEpochTimes(value: unknown): object {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(item) ? Date.parse(item) : item,
  ) as object;
}
