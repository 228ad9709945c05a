/** One execution of a job's script: its files from S3, the Python process, and its last line. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import type { RunControl } from "../jobs/control";
import { failing } from "../jobs/failure";
import type { Interpreter, JobPorts } from "../jobs/ports";
import { startPython } from "../jobs/python-process";
import { type RoleS3, s3Location } from "../jobs/role-s3";
import type { Arguments, GlueJob } from "./job";

const SESSION = "GlueJobRunnerSession";

/** Prefix of the groups `…/output` and `…/error`. */
export const logGroupOf = (merged: Arguments): string => merged["--custom-logGroup-prefix"] ?? "/aws-glue/jobs";

/** A group that is encrypted by a security configuration has it in its name. */
const groupNamed = (merged: Arguments, { securityConfiguration }: GlueJob, stream: "output" | "error"): string =>
  `${logGroupOf(merged)}/${stream}${securityConfiguration === undefined ? "" : `-${securityConfiguration}`}`;

export interface ScriptOptions {
  readonly ports: JobPorts;
  readonly control: RunControl;
  readonly job: GlueJob;
  /** The job's arguments and the run's own. */
  readonly merged: Arguments;
  /** Of the run. */
  readonly id: string;
  /** Of this run alone. */
  readonly folder: string;
  /** The script begins. */
  readonly onExecuting: () => void;
}

/** @throws Interrupted when the run was ended from outside; Error when it could not be started, or with the script's last line */
export async function runScript(options: ScriptOptions): Promise<void> {
  const { ports, control, job, merged, id, folder, onExecuting } = options;
  const credentials = ports.credentials(job.roleArn, "glue.amazonaws.com", SESSION);
  const s3 = ports.s3(job.roleArn, SESSION);
  const interpreter = await ports.interpreter({ java: true });
  control.check();
  const [scripts, modules, staging] = [join(folder, "scripts"), join(folder, "modules"), join(folder, "staging")];
  for (const needed of [scripts, modules, staging]) await mkdir(needed, { recursive: true });
  const [script = ""] = await fetchFiles(s3, job.scriptLocation, scripts, "command.scriptLocation");
  const imported = await fetchFiles(s3, merged["--extra-py-files"] ?? "", modules, "--extra-py-files");
  control.check();
  onExecuting();
  const groups = { stdout: groupNamed(merged, job, "output"), stderr: groupNamed(merged, job, "error") };
  // Parameters that only steer Glue itself are passed on as well, as Glue does.
  const named = { "--JOB_NAME": job.name, "--JOB_RUN_ID": id, ...merged, "--staging_dir": staging };
  const { failure } = await startPython(ports, control, {
    host: "job_host.py",
    args: [script, ...Object.entries(named).flat()],
    folder,
    interpreter,
    credentials,
    env: {
      // Archives are on the path themselves, modules by their folder.
      PYTHONPATH: [modules, ...imported.filter((file) => !file.endsWith(".py"))].join(delimiter),
      ...sparkEnvironment(folder, interpreter),
    },
    onLines: (stream, lines) => ports.writeLogs(groups[stream], id, lines),
  });
  const failed = await failure;
  control.check();
  if (failed !== undefined) throw new Error(failed.message);
}

/** @param list comma-separated S3 URIs @returns paths of the copies */
async function fetchFiles(s3: RoleS3, list: string, folder: string, field: string): Promise<string[]> {
  const files: string[] = [];
  for (const uri of list.split(",").map((item) => item.trim())) {
    if (uri === "") continue;
    const location = s3Location(uri, field);
    const file = join(folder, basename(location.key));
    await writeFile(file, await failing(field, () => s3.read(location)));
    files.push(file);
  }
  return files;
}

/** Spark on two cores of this machine, bound to loopback, writing nowhere but to the run's folder. */
function sparkEnvironment(folder: string, { classArchive }: Interpreter): Record<string, string> {
  const temporary = join(folder, "tmp");
  const shared = classArchive === undefined ? "" : ` "-XX:SharedArchiveFile=${classArchive}"`;
  const settings = {
    "spark.ui.enabled": "false",
    // Progress bars are lines of the log here.
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": join(temporary, "warehouse"),
    "spark.driver.extraJavaOptions": `-Djava.io.tmpdir=${temporary} -Duser.home=${temporary} -Dderby.system.home=${temporary}${shared}`,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["--conf", quoted(`${name}=${value}`)]);
  return {
    SPARK_LOCAL_IP: "127.0.0.1",
    SPARK_LOCAL_DIRS: temporary,
    PYSPARK_SUBMIT_ARGS: ["--master", "local[2]", ...options, "pyspark-shell"].join(" "),
  };
}

/** PySpark splits the variable as a shell would. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
