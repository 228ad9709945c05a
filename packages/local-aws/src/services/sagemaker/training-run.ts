/** Carries out one training job with the folders, files and variables of a SageMaker container that has no network. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EndReason, Interrupted, type RunControl } from "../jobs/control";
import { failing } from "../jobs/failure";
import type { JobPorts } from "../jobs/ports";
import { type PythonFailure, startPython } from "../jobs/python-process";
import { below, type RoleS3, s3Uri } from "../jobs/role-s3";
import { filesBelow, tarGz } from "../jobs/tar";
import { requireOfflineInstall } from "./offline-install";
import type { TrainingRequest } from "./training-request";

export interface TrainingRun {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly request: TrainingRequest;
  readonly arn: string;
  /** Of this job alone. */
  readonly folder: string;
  readonly onStatus: (status: "Downloading" | "Training" | "Uploading") => void;
  /** Told the URI of model.tar.gz. */
  readonly onArtifacts: (uri: string) => void;
}

type Channel = TrainingRequest["InputDataConfig"][number];

/**
 * @returns what ended the script before its time, if anything did
 * @throws Interrupted, or an Error whose message is SageMaker's FailureReason
 */
export async function runTraining(run: TrainingRun): Promise<EndReason | undefined> {
  const { ports, control, request, onStatus } = run;
  const optMl = join(run.folder, "opt", "ml");
  const s3 = ports.s3(request.RoleArn, "SageMaker");
  const interpreter = await failing("InternalServerError", () => ports.interpreter({ java: false }));
  control.check();
  onStatus("Downloading");
  await prepare(request, optMl, s3);
  control.check();
  requireOfflineInstall(request.Environment);
  onStatus("Training");
  control.limit(request.StoppingCondition.MaxRuntimeInSeconds * 1000);
  const stream = `${request.TrainingJobName}/algo-1-${Math.floor(ports.context.clock.now() / 1000)}`;
  let endedBy: EndReason | undefined;
  try {
    const { failure } = await startPython(ports, control, {
      host: "training_host.py",
      args: [optMl],
      folder: run.folder,
      interpreter,
      // An isolated container reaches no service.
      credentials: undefined,
      env: {
        ...request.Environment,
        TRAINING_JOB_NAME: request.TrainingJobName,
        TRAINING_JOB_ARN: run.arn,
        SOURCE_ARCHIVE: join(optMl, request.source),
      },
      onLines: (_, lines) => ports.writeLogs("/aws/sagemaker/TrainingJobs", stream, lines),
    });
    const failed = await failure;
    endedBy = control.reason;
    if (endedBy === "shutdown") throw new Interrupted("shutdown");
    // A job that is stopped keeps the model that it has so far.
    if (failed !== undefined && endedBy === undefined) throw new Error(await failureReason(failed, request, optMl));
  } finally {
    const { CheckpointConfig: checkpoints, OutputDataConfig: output } = request;
    if (checkpoints !== undefined)
      await failing("ClientError: Checkpoints upload failed", () =>
        s3.upload(join(optMl, "checkpoints"), checkpoints.S3Uri, output.KmsKeyId),
      );
  }
  onStatus("Uploading");
  await uploadOutput(run, optMl, s3);
  return endedBy;
}

/** Writes what the container finds at its start. */
async function prepare(request: TrainingRequest, optMl: string, s3: RoleS3): Promise<void> {
  for (const path of ["input/config", "input/data", "model", "output/data", "code", "checkpoints"])
    await mkdir(join(optMl, path), { recursive: true });
  const { InputDataConfig: channels, CheckpointConfig: checkpoints } = request;
  await writeFile(join(optMl, "input/config/hyperparameters.json"), JSON.stringify(request.HyperParameters));
  for (const channel of channels) await downloadChannel(channel, join(optMl, "input/data", channel.ChannelName), s3);
  if (checkpoints !== undefined)
    await failing("ClientError: Checkpoints download failed", () => s3.download(checkpoints.S3Uri, join(optMl, "checkpoints")));
}

async function downloadChannel({ ChannelName: name, DataSource }: Channel, folder: string, s3: RoleS3): Promise<void> {
  const source = DataSource.S3DataSource.S3Uri;
  await mkdir(folder, { recursive: true });
  const files = await failing(`ClientError: Data download failed for channel ${name}`, () => s3.download(source, folder));
  if (files.length === 0) {
    throw new Error(
      `ClientError: Data download failed: No S3 objects found under S3 URL "${s3Uri(source)}" given in input data source ${name}. Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, and that the role has s3:ListBucket permissions on it.`,
    );
  }
}

/** As the training toolkit reports a script's failure, unless the script wrote its own. */
async function failureReason({ message, exitCode }: PythonFailure, request: TrainingRequest, optMl: string): Promise<string> {
  const code = exitCode ?? 137;
  const written = await readFile(join(optMl, "output/failure"), "utf8").catch(() => "");
  if (written.trim() !== "") return `AlgorithmError: ${written.trim()}, exit code: ${code}`;
  return `AlgorithmError: ExecuteUserScriptError:\nExitCode ${code}\nErrorMessage "${message}"\nCommand "python ${request.HyperParameters.sagemaker_program}", exit code: ${code}`;
}

async function uploadOutput({ request, onArtifacts }: TrainingRun, optMl: string, s3: RoleS3): Promise<void> {
  const { S3OutputPath: output, KmsKeyId: kmsKeyId } = request.OutputDataConfig;
  const archives = [
    { folder: join(optMl, "model"), name: "model.tar.gz" },
    { folder: join(optMl, "output/data"), name: "output.tar.gz" },
  ];
  for (const { folder, name } of archives) {
    if ((await filesBelow(folder)).length === 0) continue;
    const archive = await tarGz(folder);
    const target = { bucket: output.bucket, key: below(output.key, `${request.TrainingJobName}/output/${name}`) };
    await failing(`ClientError: Artifact upload failed for ${name}`, () =>
      s3.write(target, archive, { kmsKeyId, contentType: "application/x-tar" }),
    );
    if (name === "model.tar.gz") onArtifacts(s3Uri(target));
  }
}
