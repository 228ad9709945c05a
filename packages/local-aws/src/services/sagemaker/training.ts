/** Training jobs: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob. */
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { type NamedJob, NamedJobs } from "./named-jobs";
import { kept } from "./request";
import { TRAINING, trainingRequest } from "./training-request";
import { runTraining } from "./training-run";

export class TrainingJobs {
  readonly jobs: NamedJobs;

  constructor(private readonly ports: JobPorts) {
    this.jobs = new NamedJobs(ports, {
      name: "Training",
      describe,
      entered: (status, { endedBy }) => ({ secondary: endedBy === "timeout" ? "MaxRuntimeExceeded" : status }),
    });
  }

  operations(): Record<string, Operation> {
    return this.jobs.operations(Object.keys(TRAINING), (input) => this.create(input));
  }

  private create(input: Input): string {
    const request = trainingRequest(input);
    const { TrainingJobName: name } = request;
    const { clock } = this.ports.context;
    // Checked before anything is stored, as SageMaker does.
    this.ports.credentials(request.RoleArn, "sagemaker.amazonaws.com", "SageMaker");
    const now = clock.now();
    this.jobs.start(
      { name, status: "InProgress", request: kept(TRAINING, input), startedMs: now, modifiedMs: now, secondary: "Starting" },
      (control, folder) =>
        runTraining({
          ports: this.ports,
          control,
          request,
          arn: this.jobs.arnOf(name),
          folder,
          onStatus: (secondary) =>
            this.jobs.runs.change(name, { secondary, ...(secondary === "Downloading" ? { workingMs: clock.now() } : {}) }),
          onArtifacts: (artifacts) => this.jobs.runs.change(name, { artifacts }),
        }),
    );
    return name;
  }
}

function describe({ secondary, modifiedMs, workingMs, endedMs, artifacts }: NamedJob): Record<string, unknown> {
  const seconds = workingMs === undefined || endedMs === undefined ? undefined : Math.round((endedMs - workingMs) / 1000);
  return {
    SecondaryStatus: secondary,
    LastModifiedTime: new Date(modifiedMs),
    ...(seconds === undefined ? {} : { TrainingTimeInSeconds: seconds, BillableTimeInSeconds: seconds }),
    ...(artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: artifacts } }),
  };
}
