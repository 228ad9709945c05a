/** Training jobs: CreateTrainingJob, DescribeTrainingJob, StopTrainingJob. */
import type { JobPorts } from "../jobs/ports";
import { type NamedJob, NamedJobs } from "./named-jobs";
import { TRAINING, trainingRequest } from "./training-request";
import { runTraining } from "./training-run";

export const trainingJobs = (ports: JobPorts): NamedJobs =>
  new NamedJobs(ports, {
    name: "Training",
    shape: TRAINING,
    describe,
    entered: (status, { endedBy }) => {
      const secondary = status === "InProgress" ? "Starting" : status;
      return { secondary: endedBy === "timeout" ? "MaxRuntimeExceeded" : secondary };
    },
    prepare: (input, { arn, change }) => {
      const request = trainingRequest(input);
      const { clock } = ports.context;
      // Checked before anything is stored, as SageMaker does.
      ports.credentials(request.RoleArn, "sagemaker.amazonaws.com", "SageMaker");
      return (control, folder) =>
        runTraining({
          ports,
          control,
          request,
          arn,
          folder,
          onStatus: (secondary) => change({ secondary, ...(secondary === "Downloading" ? { workingMs: clock.now() } : {}) }),
          onArtifacts: (artifacts) => change({ artifacts }),
        });
    },
  });

function describe({ secondary, modifiedMs, workingMs, endedMs, artifacts }: NamedJob): Record<string, unknown> {
  const seconds = workingMs === undefined || endedMs === undefined ? undefined : Math.round((endedMs - workingMs) / 1000);
  return {
    SecondaryStatus: secondary,
    LastModifiedTime: new Date(modifiedMs),
    ...(seconds === undefined ? {} : { TrainingTimeInSeconds: seconds, BillableTimeInSeconds: seconds }),
    ...(artifacts === undefined ? {} : { ModelArtifacts: { S3ModelArtifacts: artifacts } }),
  };
}
