/** One execution of a job's script: its files from S3, the Python process, and what it said in the end. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import type { RunControl } from "../jobs/control";
import { logLines } from "../jobs/log-lines";
import type { JobPorts } from "../jobs/ports";
import { startPython } from "../jobs/python-process";
import { type RoleS3, s3Location } from "../jobs/role-s3";
import { type Arguments, argumentProblems, commandLine, type GlueJob, mergedArguments } from "./job";
import type { GlueRun } from "./run";

/** Prefix of the groups `…/output` and `…/error`. */
export const logGroupOf = (merged: Arguments): string => merged["--custom-logGroup-prefix"] ?? "/aws-glue/jobs";

/** A group that is encrypted by a security configuration has it in its name. */
const groupNamed = (merged: Arguments, { securityConfiguration }: GlueJob, stream: "output" | "error"): string =>
  `${logGroupOf(merged)}/${stream}${securityConfiguration === undefined ? "" : `-${securityConfiguration}`}`;

export interface ScriptOptions {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly job: GlueJob;
  readonly run: GlueRun;
  /** Of this run alone; removed in the end. */
  readonly folder: string;
  /** The script begins. */
  readonly onExecuting: () => void;
}

/**
 * @returns the error's last line, or undefined after success
 * @throws Interrupted when the run was ended from outside; Error when it could not be started
 */
export async function runScript(options: ScriptOptions): Promise<string | undefined> {
  try {
    return await execute(options);
  } finally {
    await rm(options.folder, { recursive: true, force: true });
  }
}

async function execute({ ports, control, job, run, folder, onExecuting }: ScriptOptions): Promise<string | undefined> {
  const merged = mergedArguments(job, run.arguments);
  const problems = argumentProblems(merged);
  if (problems.length > 0) throw new Error(`${job.name}: ${problems.join("; ")}.`);
  const credentials = ports.credentials(job.roleArn, "glue.amazonaws.com", "GlueJobRunnerSession");
  const s3 = ports.s3(job.roleArn, "GlueJobRunnerSession");
  const interpreter = await ports.interpreter({ java: job.command.name === "glueetl" });
  control.check();
  const [scripts, staging] = [join(folder, "scripts"), join(folder, "staging")];
  for (const needed of [scripts, staging]) await mkdir(needed, { recursive: true });
  const [script = ""] = await fetchFiles(s3, job.command.scriptLocation, scripts, "command.scriptLocation");
  const modules = await fetchFiles(s3, merged["--extra-py-files"] ?? "", join(folder, "modules"), "--extra-py-files");
  await fetchFiles(s3, merged["--extra-files"] ?? "", folder, "--extra-files");
  control.check();
  onExecuting();
  // Archives are on the path themselves, modules by their folder.
  const path = [join(folder, "modules"), ...modules.filter((file) => !file.endsWith(".py"))].join(delimiter);
  const output = logLines(ports, groupNamed(merged, job, "output"), run.id);
  const errors = logLines(ports, groupNamed(merged, job, "error"), run.id);
  const { failure } = await startPython(ports, control, {
    host: "job_host.py",
    args: [script, ...commandLine(merged, job, run.id), "--staging_dir", staging],
    folder,
    interpreter,
    credentials,
    env: { PYTHONPATH: path, ...sparkEnvironment(folder, merged["--conf"]) },
    onLines: (stream, lines) => (stream === "stdout" ? output : errors)(lines),
  });
  const failed = await failure;
  control.check();
  return failed?.message;
}

/** @param list comma-separated S3 URIs @returns paths of the copies */
async function fetchFiles(s3: RoleS3, list: string, folder: string, field: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  for (const uri of list.split(",").map((item) => item.trim())) {
    if (uri === "") continue;
    const location = s3Location(uri, field);
    const file = join(folder, basename(location.key));
    await writeFile(
      file,
      await s3.read(location).catch((error: Error) => Promise.reject(new Error(`${field}: ${error.message}`))),
    );
    files.push(file);
  }
  return files;
}

/** Spark on two cores of this machine, bound to loopback, writing nowhere but to the run's folder. */
function sparkEnvironment(folder: string, conf: string | undefined): Record<string, string> {
  const temporary = join(folder, "tmp");
  const settings = {
    "spark.ui.enabled": "false",
    // Progress bars are lines of the log here.
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": join(temporary, "warehouse"),
    "spark.driver.extraJavaOptions": `-Djava.io.tmpdir=${temporary} -Duser.home=${temporary} -Dderby.system.home=${temporary}`,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["--conf", quoted(`${name}=${value}`)]);
  // The value of --conf holds further "--conf name=value" itself, so that it goes in as it is.
  const own = conf === undefined ? [] : ["--conf", conf];
  return {
    SPARK_LOCAL_IP: "127.0.0.1",
    SPARK_LOCAL_DIRS: temporary,
    PYSPARK_SUBMIT_ARGS: ["--master", "local[2]", ...options, ...own, "pyspark-shell"].join(" "),
  };
}

/** PySpark splits the variable as a shell would. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
