/** Jobs of one kind (training, transform): unique names, their status and their events. */
import { AwsError } from "../../contracts";
import { type JobRecord, JobRuns, type Outcome, type Work } from "../jobs/job-runs";
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";

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

export interface Kind {
  readonly name: "Training" | "Transform";
  /** Describe's response beyond the request; also the detail of state-change events. */
  readonly describe: (job: NamedJob) => Readonly<Record<string, unknown>>;
  /** Further changes of a job that was asked to stop, or has ended. */
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
  operations(fields: readonly string[], create: (input: Input) => string): Record<string, Operation> {
    const name = `${this.kind.name}JobName`;
    const resource = (input: Input) => this.arnOf(input.needText(name));
    return {
      [`Create${this.kind.name}Job`]: {
        fields,
        resource,
        run: (input) => ({ [`${this.kind.name}JobArn`]: this.arnOf(create(input)) }),
      },
      [`Describe${this.kind.name}Job`]: {
        fields: [name],
        resource,
        run: (input) => this.describe(this.get(input.needText(name))),
      },
      [`Stop${this.kind.name}Job`]: {
        fields: [name],
        resource,
        run: (input) => {
          this.stop(input.needText(name));
          return {};
        },
      },
    };
  }

  arnOf(name: string): string {
    const { region, accountId } = this.ports.context;
    return `arn:aws:sagemaker:${region}:${accountId}:${this.kind.name.toLowerCase()}-job/${name}`;
  }

  /** @throws AwsError ResourceInUse when the name was used before */
  start(job: NamedJob, work: Work): void {
    if (this.runs.get(job.name) !== undefined) {
      throw new AwsError(
        "ResourceInUse",
        `${this.kind.name} job names must be unique within an AWS account and region, and a ${this.label} with this name already exists (${this.arnOf(job.name)})`,
      );
    }
    this.runs.start(job.name, job, work);
    this.publish(job);
  }

  private get(name: string): NamedJob {
    const job = this.runs.get(name);
    if (job !== undefined) return job;
    throw new AwsError("ValidationException", `Requested resource not found: ${this.label} ${name}.`);
  }

  private stop(name: string): void {
    const { status } = this.get(name);
    const changes = { ...this.kind.entered("Stopping", {}), status: "Stopping" } as const;
    if (status !== "InProgress" || !this.runs.stop(name, changes))
      throw new AwsError("ValidationException", `The request was rejected because the ${this.label} is in status ${status}.`);
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
