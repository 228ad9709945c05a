/** Runs one of the Python hosts to its end, and reports how it ended. */
import { mkdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { SessionCredentials } from "../../endpoint/credentials";
import { Child, type Exit } from "./child";
import type { RunControl } from "./control";
import type { Interpreter, JobPorts } from "./ports";

export interface PythonRun {
  readonly host: "job_host.py" | "training_host.py" | "transform_host.py";
  readonly args: readonly string[];
  /** Working folder; temporary files lie below it. */
  readonly folder: string;
  readonly interpreter: Interpreter;
  /** Absent: the process can call no AWS service, as in a network-isolated container. */
  readonly credentials: SessionCredentials | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly onLines: (stream: "stdout" | "stderr", lines: readonly string[]) => void;
}

export interface PythonFailure {
  readonly message: string;
  /** Of the process; undefined when a signal ended it. */
  readonly exitCode: number | undefined;
}

export interface PythonProcess {
  readonly child: Child;
  /** Undefined: it ended well. */
  readonly failure: Promise<PythonFailure | undefined>;
}

/** Starts a host as a child that ends with the control, with this process, or by itself. */
export async function startPython(ports: JobPorts, control: RunControl, run: PythonRun): Promise<PythonProcess> {
  const temporary = join(run.folder, "tmp");
  await mkdir(temporary, { recursive: true });
  control.check();
  const errorFile = join(temporary, "error.json");
  const child = new Child({
    command: run.interpreter.python,
    args: [join(ports.hosts, run.host), errorFile, ...run.args],
    cwd: run.folder,
    env: { ...environmentOf(ports, run, temporary), ...run.env },
    onLines: run.onLines,
  });
  control.attach(child);
  return { child, failure: child.exited.then((exit) => failureOf(exit, errorFile)) };
}

function environmentOf(ports: JobPorts, { interpreter, credentials }: PythonRun, temporary: string): Record<string, string> {
  const { region, endpointUrl } = ports.context;
  const path = [interpreter.javaHome === undefined ? "" : join(interpreter.javaHome, "bin"), process.env.PATH ?? ""];
  return {
    PATH: path.filter((part) => part !== "").join(delimiter),
    // The machine's own home may hold AWS profiles and pip settings that a job in the cloud does not see.
    HOME: temporary,
    TMPDIR: temporary,
    TZ: "UTC",
    LANG: "C.UTF-8",
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    PYSPARK_PYTHON: interpreter.python,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    ...(interpreter.javaHome === undefined ? {} : { JAVA_HOME: interpreter.javaHome }),
    ...(credentials === undefined
      ? {}
      : {
          AWS_ENDPOINT_URL: endpointUrl,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_SESSION_TOKEN: credentials.sessionToken,
        }),
  };
}

async function failureOf({ code, signal }: Exit, errorFile: string): Promise<PythonFailure | undefined> {
  if (code === 0) return undefined;
  const told = await readFile(errorFile, "utf8").catch(() => undefined);
  if (told !== undefined) return { message: (JSON.parse(told) as { message: string }).message, exitCode: code };
  const how =
    signal === undefined
      ? `with exit status ${code}`
      : `by ${signal}${signal === "SIGKILL" ? " (killed from outside, perhaps out of memory)" : ""}`;
  return { message: `The Python process was ended ${how}.`, exitCode: code };
}
