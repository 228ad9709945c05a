/** Carries out one batch transform: the model in a process of its own, file after file from S3 and back. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@risk/program-graph";
import type { RunControl } from "../jobs/control";
import { failing } from "../jobs/failure";
import type { JobPorts } from "../jobs/ports";
import { startPython } from "../jobs/python-process";
import { below, type RoleS3, relativePath, s3Location, s3Uri } from "../jobs/role-s3";
import { ModelServer, ServerGone } from "./model-server";
import type { Model } from "./models";
import { requireOfflineInstall } from "./offline-install";
import { transformFile } from "./transform-file";
import { DEFAULT_INVOCATION_SECONDS, type TransformRequest } from "./transform-request";

export interface TransformRun {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly request: TransformRequest;
  readonly model: Model;
  /** Of this job alone. */
  readonly folder: string;
  /** The model is loaded. */
  readonly onStarted: () => void;
}

const LOGS = "/aws/sagemaker/TransformJobs";

/** @throws Interrupted, or an Error whose message is SageMaker's FailureReason */
export async function runTransform(run: TransformRun): Promise<undefined> {
  const { ports, control, request, model, folder } = run;
  const s3 = ports.s3(model.roleArn, "SageMaker");
  const source = request.TransformInput.DataSource.S3DataSource.S3Uri;
  const keys = await failing("ClientError", async () => s3.list(source));
  if (keys.length === 0) {
    throw new Error(
      `ClientError: No S3 objects found under S3 URL "${s3Uri(source)}" given in the transform input. Please ensure that the objects exist and that the role has s3:ListBucket permissions on the bucket.`,
    );
  }
  const interpreter = await failing("InternalServerError", () => ports.interpreter({ java: false }));
  const optMl = join(folder, "opt", "ml");
  await mkdir(optMl, { recursive: true });
  const archive = join(folder, "model.tar.gz");
  await writeFile(
    archive,
    await failing("ClientError: Cannot download the model", () => s3.read(s3Location(model.dataUrl, "ModelDataUrl"))),
  );
  control.check();
  requireOfflineInstall(model.environment);
  const stream = `${request.TransformJobName}/i-local`;
  const server = new ModelServer(
    await startPython(ports, control, {
      host: "transform_host.py",
      args: [optMl, archive, model.environment.SAGEMAKER_PROGRAM ?? ""],
      folder,
      interpreter,
      // An isolated container reaches no service.
      credentials: undefined,
      env: { ...model.environment, SM_MODEL_DIR: join(optMl, "model"), SAGEMAKER_BATCH: "true" },
      onLines: (_, lines) => ports.writeLogs(LOGS, stream, lines),
    }),
    ports.after,
  );
  try {
    await failing("AlgorithmError: The model server did not start", () => server.ready()).catch((error: unknown) => {
      control.check();
      throw error;
    });
    run.onStarted();
    await transformFiles(run, s3, server, keys, (problem) => ports.writeLogs(LOGS, `${stream}/data-log`, [problem]));
  } finally {
    await server.end();
  }
  return undefined;
}

/** A file that fails leaves no output and does not keep the others from theirs; the job fails in the end. */
async function transformFiles(
  { control, request }: TransformRun,
  s3: RoleS3,
  server: ModelServer,
  keys: readonly string[],
  log: (problem: string) => void,
): Promise<void> {
  const source = request.TransformInput.DataSource.S3DataSource.S3Uri;
  const { S3OutputPath: output, KmsKeyId: kmsKeyId, Accept: contentType } = request.TransformOutput;
  const timeoutSeconds = request.ModelClientConfig?.InvocationsTimeoutInSeconds ?? DEFAULT_INVOCATION_SECONDS;
  const problems: string[] = [];
  for (const key of keys) {
    try {
      const data = String(await s3.read({ bucket: source.bucket, key }));
      const scored = await transformFile(request, data, (body) => {
        control.check();
        return server.invoke(body, timeoutSeconds * 1000);
      });
      control.check();
      const target = below(output.key, `${relativePath(source.key, key)}.out`);
      await s3.write({ bucket: output.bucket, key: target }, scored, { kmsKeyId, contentType });
    } catch (error) {
      control.check();
      const problem = `${source.bucket}/${key}: ${messageOf(error)}`;
      log(problem);
      problems.push(problem);
      if (error instanceof ServerGone) break;
    }
  }
  if (problems.length > 0) throw new Error(`AlgorithmError: See job logs for more information: ${problems.join("; ")}`);
}
