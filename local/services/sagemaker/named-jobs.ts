/** Jobs of one kind (training, transform): unique names, what is stored of each, those that run, and their end with the runtime. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { AwsError } from "../../contracts";
import { type EndReason, Interrupted, RunControl } from "../jobs/control";
import { Documents } from "../jobs/documents";
import type { JobPorts } from "../jobs/ports";

export type JobStatus = "InProgress" | "Completed" | "Failed" | "Stopping" | "Stopped";

export interface JobRecord {
  readonly name: string;
  readonly status: JobStatus;
  /** Members of the request that Describe tells again. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly failureReason?: string;
  /** Epoch milliseconds. */
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly startedMs?: number;
  readonly endedMs?: number;
}

/** SageMaker keeps this many characters. */
const REASON_LIMIT = 1024;
/** SageMaker sends SIGTERM, waits 120 seconds and sends SIGKILL. */
const STOP_GRACE_MS = 120_000;

export const INTERRUPTED =
  "InternalServerError: The local runtime was stopped while the job ran; start it again under another name.";

export interface Kind<T extends JobRecord> {
  readonly table: string;
  /** Below `<dataDir>/sagemaker`, and the ARN's part: `training` → `training-job`. */
  readonly folder: "training" | "transform";
  /** "Training job". */
  readonly title: string;
  /** Describe's answer; also the detail of state-change events. */
  readonly describe: (job: T) => Readonly<Record<string, unknown>>;
  /** Further changes of a job that has just ended. */
  readonly ended: (job: T, end: JobEnd) => Partial<T>;
}

export interface JobEnd {
  readonly status: JobStatus;
  /** What ended it, when that came from outside. */
  readonly endedBy: EndReason | undefined;
  readonly atMs: number;
}

/**
 * Carries out a job; resolves to what ended it before its time, if anything did. May throw Interrupted, or an Error whose
 * message is the reason of the failure.
 */
export type Work = (control: RunControl) => Promise<EndReason | undefined>;

interface Ending {
  readonly status: JobStatus;
  /** Of a failure. */
  readonly reason?: string;
  readonly endedBy?: EndReason;
}

export class NamedJobs<T extends JobRecord> {
  private readonly store: Documents<T>;
  private readonly running = new Map<string, { readonly control: RunControl; readonly done: Promise<void> }>();

  constructor(
    private readonly ports: JobPorts,
    private readonly kind: Kind<T>,
  ) {
    this.store = new Documents(ports.context.db, kind.table);
  }

  arnOf(name: string): string {
    const { region, accountId } = this.ports.context;
    return `arn:aws:sagemaker:${region}:${accountId}:${this.kind.folder}-job/${name}`;
  }

  folderOf(name: string): string {
    return join(this.folder, name);
  }

  /** @throws AwsError ValidationException */
  get(name: string): T {
    const job = this.store.get(name);
    if (job === undefined)
      throw new AwsError("ValidationException", `Requested resource not found: ${this.kind.title.toLowerCase()} ${name}.`);
    return job;
  }

  /** Oldest first. */
  all(): T[] {
    return this.store.all();
  }

  /** @throws AwsError ResourceInUse when the name was used before */
  start(job: T, work: Work): void {
    if (this.store.get(job.name) !== undefined) {
      throw new AwsError(
        "ResourceInUse",
        `${this.kind.title} names must be unique within an AWS account and region, and a ${this.kind.title.toLowerCase()} with this name already exists (${this.arnOf(job.name)})`,
      );
    }
    this.store.put(job.name, job);
    this.publish(job);
    const control = new RunControl(this.ports.after, STOP_GRACE_MS);
    const done = this.carryOut(job.name, control, work).finally(() => control.close());
    this.running.set(job.name, { control, done });
  }

  /** @throws AwsError ValidationException when the job is not there or over */
  stop(name: string, changes: (job: T) => Partial<T>): void {
    const job = this.get(name);
    const active = this.running.get(name);
    if (active === undefined || job.status !== "InProgress")
      throw new AwsError(
        "ValidationException",
        `The request was rejected because the ${this.kind.title.toLowerCase()} is in status ${job.status}.`,
      );
    this.change(name, { ...changes(job), status: "Stopping" } as Partial<T>);
    active.control.end("stop");
  }

  change(name: string, changes: Partial<T>): T {
    const job = { ...this.get(name), ...changes, modifiedMs: this.ports.context.clock.now() };
    this.store.put(name, job);
    return job;
  }

  /** Resolves when nothing runs. */
  async settled(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  async shutdown(): Promise<void> {
    for (const { control } of this.running.values()) control.end("shutdown");
    await this.settled();
  }

  /** Jobs that were under way when the runtime was killed will not go on. Nothing that listens to events is there yet. */
  recover(): void {
    rmSync(this.folder, { recursive: true, force: true });
    for (const { name, status } of this.all()) {
      if (status === "InProgress" || status === "Stopping") this.end(name, { status: "Failed", reason: INTERRUPTED });
    }
  }

  private get folder(): string {
    return join(this.ports.context.dataDir, "sagemaker", this.kind.folder);
  }

  private async carryOut(name: string, control: RunControl, work: Work): Promise<void> {
    const ending = await endingOf(work, control);
    rmSync(this.folderOf(name), { recursive: true, force: true });
    this.publish(this.end(name, ending));
    this.running.delete(name);
    const reason = ending.reason === undefined ? "" : `: ${ending.reason}`;
    this.ports.context.log(`SageMaker ${this.kind.title.toLowerCase()} ${name}: ${ending.status}${reason}`);
  }

  private end(name: string, ending: Ending): T {
    const endedMs = this.ports.context.clock.now();
    const failureReason = ending.reason === undefined ? {} : { failureReason: ending.reason.slice(0, REASON_LIMIT) };
    const changes = this.kind.ended(this.get(name), { status: ending.status, endedBy: ending.endedBy, atMs: endedMs });
    return this.change(name, { ...changes, status: ending.status, endedMs, ...failureReason } as Partial<T>);
  }

  private publish(job: T): void {
    this.ports.publish({
      source: "aws.sagemaker",
      detailType: `SageMaker ${this.kind.title === "Training job" ? "Training" : "Transform"} Job State Change`,
      resources: [this.arnOf(job.name)],
      detail: withEpochTimes(this.kind.describe(job)),
    });
  }
}

async function endingOf(work: Work, control: RunControl): Promise<Ending> {
  try {
    const endedBy = await work(control);
    return endedBy === undefined ? { status: "Completed" } : { status: "Stopped", endedBy };
  } catch (error) {
    if (!(error instanceof Interrupted))
      return { status: "Failed", reason: error instanceof Error ? error.message : String(error) };
    return error.reason === "shutdown" ? { status: "Failed", reason: INTERRUPTED } : { status: "Stopped", endedBy: error.reason };
  }
}

/** Events of jobs tell times in epoch milliseconds. */
function withEpochTimes(value: unknown): object {
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(item) ? Date.parse(item) : item,
  ) as object;
}
