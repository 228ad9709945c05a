/** Training jobs: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob, ListTrainingJobs. */
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { LIST_FIELDS, listing } from "./listing";
import { type JobRecord, NamedJobs } from "./named-jobs";
import { TRAINING_FIELDS, trainingSpec } from "./training-request";
import { runTraining } from "./training-run";

interface Transition {
  readonly status: string;
  readonly startMs: number;
  readonly endMs?: number;
  readonly message: string;
}

interface FinalMetric {
  readonly name: string;
  readonly value: number;
  readonly atMs: number;
}

interface TrainingJob extends JobRecord {
  readonly secondary: string;
  readonly transitions: readonly Transition[];
  readonly metrics: readonly FinalMetric[];
  readonly artifacts?: string;
}

const MESSAGES: Readonly<Record<string, string>> = {
  Starting: "Preparing the instances for training",
  Downloading: "Downloading the training data",
  Training: "Training job in progress",
  Uploading: "Uploading generated training model",
  Completed: "Training job completed",
  Failed: "Training job failed",
  Stopping: "Stopping the training job",
  Stopped: "Training job stopped",
  MaxRuntimeExceeded: "Maximum runtime exceeded",
};

export class TrainingJobs {
  readonly jobs: NamedJobs<TrainingJob>;

  constructor(private readonly ports: JobPorts) {
    this.jobs = new NamedJobs<TrainingJob>(ports, {
      table: "sagemaker_training_jobs",
      folder: "training",
      title: "Training job",
      describe: (job) => this.describe(job),
      ended: (job, { status, endedBy, atMs }) => enter(job, endedBy === "timeout" ? "MaxRuntimeExceeded" : status, atMs),
    });
  }

  operations(): Record<string, Operation> {
    const arn = (input: Input) => this.jobs.arnOf(input.needText("TrainingJobName"));
    return {
      CreateTrainingJob: { fields: TRAINING_FIELDS, resource: arn, run: (input) => this.create(input) },
      DescribeTrainingJob: {
        fields: ["TrainingJobName"],
        resource: arn,
        run: (input) => this.describe(this.jobs.get(input.needText("TrainingJobName"))),
      },
      StopTrainingJob: {
        fields: ["TrainingJobName"],
        resource: arn,
        run: (input) => {
          const now = this.ports.context.clock.now();
          this.jobs.stop(input.needText("TrainingJobName"), (job) => enter(job, "Stopping", now));
          return {};
        },
      },
      ListTrainingJobs: { fields: [...LIST_FIELDS, "StatusEquals"], resource: () => "*", run: (input) => this.list(input) },
    };
  }

  private create(input: Input): object {
    const spec = trainingSpec(input);
    const { name } = spec;
    // Checked before anything is stored, as SageMaker does.
    this.ports.credentials(spec.roleArn, "sagemaker.amazonaws.com", "SageMaker");
    const now = this.ports.context.clock.now();
    const request = Object.fromEntries(
      TRAINING_FIELDS.filter((field) => field !== "Tags" && input.has(field)).map((field) => [field, input.raw(field)]),
    );
    const blank = {
      name,
      status: "InProgress",
      request,
      createdMs: now,
      modifiedMs: now,
      secondary: "Starting",
      transitions: [],
      metrics: [],
    } as const;
    this.jobs.start({ ...blank, ...enter(blank, "Starting", now) }, async (control) => {
      const at = () => this.ports.context.clock.now();
      return runTraining({
        ports: this.ports,
        control,
        spec,
        arn: this.jobs.arnOf(name),
        folder: this.jobs.folderOf(name),
        progress: {
          onStatus: (status) =>
            this.jobs.change(name, {
              ...enter(this.jobs.get(name), status, at()),
              ...(status === "Downloading" ? { startedMs: at() } : {}),
            }),
          onMetric: (metric, value) => this.keepMetric(name, { name: metric, value, atMs: at() }),
          onArtifacts: (artifacts) => this.jobs.change(name, { artifacts }),
        },
      });
    });
    return { TrainingJobArn: this.jobs.arnOf(name) };
  }

  private keepMetric(job: string, metric: FinalMetric): void {
    const others = this.jobs.get(job).metrics.filter(({ name }) => name !== metric.name);
    this.jobs.change(job, { metrics: [...others, metric] });
    this.ports.metric("/aws/sagemaker/TrainingJobs", metric.name, { TrainingJobName: job }, metric.value, "None");
  }

  private describe(job: TrainingJob): Record<string, unknown> {
    const seconds =
      job.startedMs === undefined || job.endedMs === undefined ? undefined : Math.round((job.endedMs - job.startedMs) / 1000);
    return {
      ...job.request,
      TrainingJobName: job.name,
      TrainingJobArn: this.jobs.arnOf(job.name),
      TrainingJobStatus: job.status,
      SecondaryStatus: job.secondary,
      SecondaryStatusTransitions: job.transitions.map(({ status, startMs, endMs, message }) => ({
        Status: status,
        StartTime: new Date(startMs),
        ...(endMs === undefined ? {} : { EndTime: new Date(endMs) }),
        StatusMessage: message,
      })),
      CreationTime: new Date(job.createdMs),
      LastModifiedTime: new Date(job.modifiedMs),
      ...(job.failureReason === undefined ? {} : { FailureReason: job.failureReason }),
      ...(job.startedMs === undefined ? {} : { TrainingStartTime: new Date(job.startedMs) }),
      ...(job.endedMs === undefined ? {} : { TrainingEndTime: new Date(job.endedMs) }),
      ...(seconds === undefined ? {} : { TrainingTimeInSeconds: seconds, BillableTimeInSeconds: seconds }),
      ...(job.artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: job.artifacts } }),
      ...(job.metrics.length === 0
        ? {}
        : {
            FinalMetricDataList: job.metrics.map(({ name, value, atMs }) => ({
              MetricName: name,
              Value: value,
              Timestamp: new Date(atMs),
            })),
          }),
    };
  }

  private list(input: Input): object {
    const status = input.text("StatusEquals");
    const { items, ...rest } = listing(
      this.jobs.all().filter((job) => status === undefined || job.status === status),
      input,
    );
    return {
      TrainingJobSummaries: items.map((job) => ({
        TrainingJobName: job.name,
        TrainingJobArn: this.jobs.arnOf(job.name),
        CreationTime: new Date(job.createdMs),
        LastModifiedTime: new Date(job.modifiedMs),
        ...(job.endedMs === undefined ? {} : { TrainingEndTime: new Date(job.endedMs) }),
        TrainingJobStatus: job.status,
        SecondaryStatus: job.secondary,
      })),
      ...rest,
    };
  }
}

/** Ends the current secondary status and begins another. */
function enter(
  job: Pick<TrainingJob, "transitions">,
  status: string,
  nowMs: number,
): Pick<TrainingJob, "secondary" | "transitions"> {
  const past = job.transitions.map((transition) =>
    transition.endMs === undefined ? { ...transition, endMs: nowMs } : transition,
  );
  return { secondary: status, transitions: [...past, { status, startMs: nowMs, message: MESSAGES[status] ?? status }] };
}
