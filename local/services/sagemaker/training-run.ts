/** Carries out one training job with the folders, files and variables of a SageMaker container. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EndReason, Interrupted, type RunControl } from "../jobs/control";
import { logLines } from "../jobs/log-lines";
import type { JobPorts } from "../jobs/ports";
import { type PythonFailure, startPython } from "../jobs/python-process";
import { below, type RoleS3, s3Location } from "../jobs/role-s3";
import { filesBelow, tarGz } from "../jobs/tar";
import { plainText, requireOfflineInstall, withLocalPaths } from "./checks";
import type { Channel, TrainingSpec } from "./training-request";

export type SecondaryStatus = "Starting" | "Downloading" | "Training" | "Uploading";

export interface TrainingProgress {
  onStatus(status: SecondaryStatus): void;
  onMetric(name: string, value: number): void;
  /** The URI of model.tar.gz. */
  onArtifacts(uri: string): void;
}

export interface TrainingRun {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly spec: TrainingSpec;
  readonly arn: string;
  /** Of this job alone. */
  readonly folder: string;
  readonly progress: TrainingProgress;
}

const FAILURE_FILE = "output/failure";

/**
 * @returns what ended the script before its time, if anything did
 * @throws Interrupted, or an Error whose message is SageMaker's FailureReason
 */
export async function runTraining(run: TrainingRun): Promise<EndReason | undefined> {
  const { ports, control, spec, progress } = run;
  const optMl = join(run.folder, "opt", "ml");
  const s3 = ports.s3(spec.roleArn, "SageMaker");
  const interpreter = await ports
    .interpreter({ java: false })
    .catch((error: Error) => Promise.reject(new Error(`InternalServerError: ${error.message}`)));
  control.check();
  progress.onStatus("Downloading");
  const archive = await prepare(run, optMl, s3);
  control.check();
  requireOfflineInstall(spec);
  progress.onStatus("Training");
  control.limit(spec.maxRuntimeSeconds * 1000);
  const stream = `${spec.name}/algo-1-${Math.floor(ports.context.clock.now() / 1000)}`;
  const log = logLines(ports, "/aws/sagemaker/TrainingJobs", stream);
  let endedBy: EndReason | undefined;
  try {
    const { failure } = await startPython(ports, control, {
      host: "training_host.py",
      args: [optMl],
      folder: run.folder,
      interpreter,
      // An isolated container reaches no service.
      credentials: spec.networkIsolation ? undefined : ports.credentials(spec.roleArn, "sagemaker.amazonaws.com", "SageMaker"),
      env: {
        ...withLocalPaths(spec.environment, optMl),
        TRAINING_JOB_NAME: spec.name,
        TRAINING_JOB_ARN: run.arn,
        SOURCE_ARCHIVE: archive,
      },
      onLines: (_, lines) => {
        log(lines);
        for (const line of lines) findMetrics(spec, line, progress);
      },
    });
    const failed = await failure;
    endedBy = control.reason;
    if (endedBy === "shutdown") throw new Interrupted("shutdown");
    // A job that is stopped keeps the model that it has so far.
    if (failed !== undefined && endedBy === undefined) throw new Error(await failureReason(failed, spec, optMl));
  } finally {
    await uploadCheckpoints(spec, optMl, s3);
  }
  progress.onStatus("Uploading");
  await uploadOutput(run, optMl, s3);
  return endedBy;
}

/** Writes what the container finds at its start. @returns the path of the source archive */
async function prepare({ spec, folder }: TrainingRun, optMl: string, s3: RoleS3): Promise<string> {
  for (const path of ["input/config", "input/data", "model", "output/data", "output/intermediate", "code", "checkpoints"])
    await mkdir(join(optMl, path), { recursive: true });
  const config = {
    hyperparameters: withLocalPaths(spec.hyperParameters, optMl),
    inputdataconfig: Object.fromEntries(spec.channels.map((channel) => [channel.name, channelConfig(channel)])),
    resourceconfig: {
      current_host: "algo-1",
      current_instance_type: spec.instanceType,
      current_group_name: "homogeneousCluster",
      hosts: ["algo-1"],
      instance_groups: [{ instance_group_name: "homogeneousCluster", instance_type: spec.instanceType, hosts: ["algo-1"] }],
      network_interface_name: "eth0",
    },
  };
  for (const [name, value] of Object.entries(config))
    await writeFile(join(optMl, "input/config", `${name}.json`), JSON.stringify(value));
  for (const channel of spec.channels) await downloadChannel(channel, join(optMl, "input/data", channel.name), s3);
  if (spec.checkpoints !== undefined) {
    const { remote, localPath } = spec.checkpoints;
    await clientError("Checkpoints download failed", s3.download(remote, localFolder(localPath, optMl)));
  }
  return sourceArchive(spec, folder, optMl, s3);
}

const localFolder = (path: string, optMl: string): string => join(optMl, path.slice("/opt/ml/".length));

const channelConfig = ({ contentType }: Channel): object => ({
  TrainingInputMode: "File",
  S3DistributionType: "FullyReplicated",
  RecordWrapperType: "None",
  ...(contentType === undefined ? {} : { ContentType: contentType }),
});

async function downloadChannel({ name, source, uri }: Channel, folder: string, s3: RoleS3): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = await clientError(`Data download failed for channel ${name}`, s3.download(source, folder));
  if (files.length === 0) {
    throw new Error(
      `ClientError: Data download failed: No S3 objects found under S3 URL "${uri}" given in input data source ${name}. Please ensure that the bucket exists in the selected region, that objects exist under that S3 prefix, and that the role has s3:ListBucket permissions on it.`,
    );
  }
}

async function sourceArchive(spec: TrainingSpec, folder: string, optMl: string, s3: RoleS3): Promise<string> {
  if (!spec.source.startsWith("s3://")) return plainText(withLocalPaths({ path: spec.source }, optMl).path) ?? "";
  if (spec.networkIsolation) {
    throw new Error(
      `AlgorithmError: sagemaker_submit_directory is ${spec.source}, but a network-isolated container cannot download it. Give the archive as a channel and name its file: /opt/ml/input/data/<channel>/<file>, exit code: 1`,
    );
  }
  const file = join(folder, "sourcedir.tar.gz");
  const data = await clientError(
    "sagemaker_submit_directory cannot be downloaded",
    s3.read(s3Location(spec.source, "sagemaker_submit_directory")),
  );
  await writeFile(file, data);
  return file;
}

async function clientError<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`ClientError: ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function findMetrics({ metrics }: TrainingSpec, line: string, progress: TrainingProgress): void {
  for (const { name, pattern } of metrics) {
    const value = Number(pattern.exec(line)?.[1] ?? Number.NaN);
    if (Number.isFinite(value)) progress.onMetric(name, value);
  }
}

/** As the training toolkit reports a script's failure, unless the script wrote its own. */
async function failureReason({ message, exitCode }: PythonFailure, spec: TrainingSpec, optMl: string): Promise<string> {
  const code = exitCode ?? 137;
  const written = await readFile(join(optMl, FAILURE_FILE), "utf8").catch(() => "");
  if (written.trim() !== "") return `AlgorithmError: ${written.trim()}, exit code: ${code}`;
  return `AlgorithmError: ExecuteUserScriptError:\nExitCode ${code}\nErrorMessage "${message}"\nCommand "python ${plainText(spec.hyperParameters.sagemaker_program)}", exit code: ${code}`;
}

async function uploadCheckpoints({ checkpoints, kmsKeyId }: TrainingSpec, optMl: string, s3: RoleS3): Promise<void> {
  if (checkpoints === undefined) return;
  await clientError(
    "Checkpoints upload failed",
    s3.upload(localFolder(checkpoints.localPath, optMl), checkpoints.remote, kmsKeyId),
  );
}

async function uploadOutput({ spec, progress }: TrainingRun, optMl: string, s3: RoleS3): Promise<void> {
  const { bucket, key } = spec.output;
  const archives = [
    { folder: join(optMl, "model"), name: "model.tar.gz" },
    { folder: join(optMl, "output/data"), name: "output.tar.gz" },
  ];
  for (const { folder, name } of archives) {
    if ((await filesBelow(folder)).length === 0) continue;
    const target = { bucket, key: below(key, `${spec.name}/output/${name}`) };
    await clientError(
      `Artifact upload failed for ${name}`,
      s3.write(target, await tarGz(folder), { kmsKeyId: spec.kmsKeyId, contentType: "application/x-tar" }),
    );
    if (name === "model.tar.gz") progress.onArtifacts(`s3://${target.bucket}/${target.key}`);
  }
}
