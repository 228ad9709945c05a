/** Batch transform jobs: CreateTransformJob, DescribeTransformJob, StopTransformJob, ListTransformJobs. */
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { LIST_FIELDS, listing } from "./listing";
import type { Models } from "./models";
import { type JobRecord, NamedJobs } from "./named-jobs";
import { TRANSFORM_FIELDS, transformSpec } from "./transform-request";
import { runTransform } from "./transform-run";

export class TransformJobs {
  readonly jobs: NamedJobs<JobRecord>;

  constructor(
    private readonly ports: JobPorts,
    private readonly models: Models,
  ) {
    this.jobs = new NamedJobs<JobRecord>(ports, {
      table: "sagemaker_transform_jobs",
      folder: "transform",
      title: "Transform job",
      describe: (job) => this.describe(job),
      ended: () => ({}),
    });
  }

  operations(): Record<string, Operation> {
    const arn = (input: Input) => this.jobs.arnOf(input.needText("TransformJobName"));
    return {
      CreateTransformJob: { fields: TRANSFORM_FIELDS, resource: arn, run: (input) => this.create(input) },
      DescribeTransformJob: {
        fields: ["TransformJobName"],
        resource: arn,
        run: (input) => this.describe(this.jobs.get(input.needText("TransformJobName"))),
      },
      StopTransformJob: {
        fields: ["TransformJobName"],
        resource: arn,
        run: (input) => {
          this.jobs.stop(input.needText("TransformJobName"), () => ({}));
          return {};
        },
      },
      ListTransformJobs: { fields: [...LIST_FIELDS, "StatusEquals"], resource: () => "*", run: (input) => this.list(input) },
    };
  }

  private create(input: Input): object {
    const spec = transformSpec(input);
    const model = this.models.get(spec.modelName);
    const now = this.ports.context.clock.now();
    const request = Object.fromEntries(
      TRANSFORM_FIELDS.filter((field) => field !== "Tags" && input.has(field)).map((field) => [field, input.raw(field)]),
    );
    this.jobs.start({ name: spec.name, status: "InProgress", request, createdMs: now, modifiedMs: now }, (control) =>
      runTransform({
        ports: this.ports,
        control,
        spec,
        model,
        folder: this.jobs.folderOf(spec.name),
        onStarted: () => this.jobs.change(spec.name, { startedMs: this.ports.context.clock.now() }),
      }),
    );
    return { TransformJobArn: this.jobs.arnOf(spec.name) };
  }

  private describe(job: JobRecord): Record<string, unknown> {
    return {
      ...job.request,
      TransformJobName: job.name,
      TransformJobArn: this.jobs.arnOf(job.name),
      TransformJobStatus: job.status,
      CreationTime: new Date(job.createdMs),
      ...(job.failureReason === undefined ? {} : { FailureReason: job.failureReason }),
      ...(job.startedMs === undefined ? {} : { TransformStartTime: new Date(job.startedMs) }),
      ...(job.endedMs === undefined ? {} : { TransformEndTime: new Date(job.endedMs) }),
    };
  }

  private list(input: Input): object {
    const status = input.text("StatusEquals");
    const { items, ...rest } = listing(
      this.jobs.all().filter((job) => status === undefined || job.status === status),
      input,
    );
    return {
      TransformJobSummaries: items.map((job) => ({
        TransformJobName: job.name,
        TransformJobArn: this.jobs.arnOf(job.name),
        CreationTime: new Date(job.createdMs),
        LastModifiedTime: new Date(job.modifiedMs),
        ...(job.endedMs === undefined ? {} : { TransformEndTime: new Date(job.endedMs) }),
        TransformJobStatus: job.status,
        ...(job.failureReason === undefined ? {} : { FailureReason: job.failureReason }),
      })),
      ...rest,
    };
  }
}
