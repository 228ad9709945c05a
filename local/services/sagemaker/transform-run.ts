/** Carries out one batch transform: the model in a process of its own, file after file from S3 and back. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EndReason, RunControl } from "../jobs/control";
import { type LogLines, logLines } from "../jobs/log-lines";
import type { JobPorts } from "../jobs/ports";
import { startPython } from "../jobs/python-process";
import { below, type RoleS3, relativePath, s3Location } from "../jobs/role-s3";
import { plainText, requireOfflineInstall } from "./checks";
import { ModelServer, ServerGone } from "./model-server";
import type { Model } from "./models";
import { transformFile } from "./transform-file";
import type { TransformSpec } from "./transform-request";

export interface TransformRun {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly spec: TransformSpec;
  readonly model: Model;
  /** Of this job alone. */
  readonly folder: string;
  /** The model is loaded. */
  readonly onStarted: () => void;
}

/** Where a model container has its source, when the model archive holds it itself. */
const MODEL_CODE = /^(file:\/\/)?\/opt\/ml\/model\/code\/?$/;

/** @throws Interrupted, or an Error whose message is SageMaker's FailureReason */
export async function runTransform(run: TransformRun): Promise<EndReason | undefined> {
  const { ports, control, spec, model, folder } = run;
  const s3 = ports.s3(model.roleArn, "SageMaker");
  const keys = await attempt("ClientError", async () => s3.list(spec.source));
  if (keys.length === 0) {
    throw new Error(
      `ClientError: No S3 objects found under S3 URL "${spec.uri}" given in the transform input. Please ensure that the objects exist and that the role has s3:ListBucket permissions on the bucket.`,
    );
  }
  const interpreter = await attempt("InternalServerError", () => ports.interpreter({ java: false }));
  const optMl = join(folder, "opt", "ml");
  await mkdir(optMl, { recursive: true });
  const args = await hostArguments(run, optMl, s3);
  control.check();
  requireOfflineInstall({
    networkIsolation: model.networkIsolation,
    environment: { ...model.environment, ...spec.environment },
  });
  const stream = `${spec.name}/i-local`;
  const log = logLines(ports, "/aws/sagemaker/TransformJobs", stream);
  const server = new ModelServer(
    await startPython(ports, control, {
      host: "transform_host.py",
      args,
      folder,
      interpreter,
      credentials: model.networkIsolation ? undefined : ports.credentials(model.roleArn, "sagemaker.amazonaws.com", "SageMaker"),
      env: { ...model.environment, ...spec.environment, SM_MODEL_DIR: join(optMl, "model"), SAGEMAKER_BATCH: "true" },
      onLines: (_, lines) => log(lines),
    }),
    ports.after,
  );
  try {
    await attempt("AlgorithmError: The model server did not start", () => server.ready()).catch((error: unknown) => {
      control.check();
      throw error;
    });
    run.onStarted();
    await transformFiles(run, s3, server, keys, logLines(ports, "/aws/sagemaker/TransformJobs", `${stream}/data-log`));
  } finally {
    await server.end();
  }
  return undefined;
}

/** A file that fails leaves no output and does not keep the others from theirs; the job fails in the end. */
async function transformFiles(
  { control, spec }: TransformRun,
  s3: RoleS3,
  server: ModelServer,
  keys: readonly string[],
  log: LogLines,
): Promise<void> {
  const problems: string[] = [];
  for (const key of keys) {
    try {
      const data = await s3.read({ bucket: spec.source.bucket, key });
      const output = await transformFile(spec, data, (body) => {
        control.check();
        return server.invoke(body, spec.contentType, spec.accept, spec.invocationTimeoutMs);
      });
      control.check();
      const target = below(spec.output.key, `${relativePath(spec.source.key, key)}.out`);
      await s3.write({ bucket: spec.output.bucket, key: target }, output, { kmsKeyId: spec.kmsKeyId, contentType: spec.accept });
    } catch (error) {
      control.check();
      const problem = `${spec.source.bucket}/${key}: ${error instanceof Error ? error.message : String(error)}`;
      log([problem]);
      problems.push(problem);
      if (error instanceof ServerGone) break;
    }
  }
  if (problems.length > 0) throw new Error(`AlgorithmError: See job logs for more information: ${problems.join("; ")}`);
}

/** Downloads the model and its source. @returns the arguments of the host */
async function hostArguments({ model, spec, folder }: TransformRun, optMl: string, s3: RoleS3): Promise<string[]> {
  const environment = { ...model.environment, ...spec.environment };
  const program = plainText(environment.SAGEMAKER_PROGRAM) ?? "";
  const source = plainText(environment.SAGEMAKER_SUBMIT_DIRECTORY) ?? "";
  const archive = join(folder, "model.tar.gz");
  const data = await attempt("ClientError: Cannot download the model", () => s3.read(s3Location(model.dataUrl, "ModelDataUrl")));
  await writeFile(archive, data);
  if (MODEL_CODE.test(source)) return [optMl, archive, program];
  if (model.networkIsolation)
    throw new Error(
      `AlgorithmError: SAGEMAKER_SUBMIT_DIRECTORY is ${source}, but a network-isolated container cannot download it. Put the source into code/ of model.tar.gz and name /opt/ml/model/code`,
    );
  const sourceFile = join(folder, "sourcedir.tar.gz");
  const code = await attempt("AlgorithmError: Cannot download SAGEMAKER_SUBMIT_DIRECTORY", () =>
    s3.read(s3Location(source, "SAGEMAKER_SUBMIT_DIRECTORY")),
  );
  await writeFile(sourceFile, code);
  return [optMl, archive, program, sourceFile];
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
