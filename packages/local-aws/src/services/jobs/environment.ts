/**
 * The Python environment under `.local/python`, made on first use: PySpark for Glue's scripts, XGBoost for SageMaker's and to compare
 * with. Nothing of the real-time half needs it.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

interface Step {
  readonly command: string;
  readonly args: readonly string[];
  /** "creating …": what failed when it fails. */
  readonly what: string;
  /** What is worse when it fails; without it, failing is an error. */
  readonly otherwise?: string;
}

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

/** Archives Spark's classes, which Java then maps: a third less processor time for each Glue run. */
const CLASS_ARCHIVE_SCRIPT = "packages/local-aws/python/class_archive.py";
export const REQUIREMENTS = "packages/local-aws/python/requirements.txt";
/** Versions that every pinned package has wheels for; 3.11 is Glue's. */
const PYTHON_MINORS = [11, 12, 10];
const JAVA_MAJOR = 17;
const WAIT_MS = 250;
/** Longer than any installation takes: a lock that is older was left behind. */
const LOCK_MS = 15 * 60_000;

/**
 * Makes the environment from packages/local-aws/python/requirements.txt unless it is there already; a minute or two, once. Two processes may ask at once: one makes
 * it, the other waits.
 * @param root folder of package.json
 * @returns the path of its python. Throws with what is needed when it cannot be made
 */
export async function pythonEnvironment(root: string = process.cwd()): Promise<string> {
  const environment = new Environment(root);
  while (!environment.isReady()) {
    if (!environment.lock()) {
      await setTimeout(WAIT_MS);
      continue;
    }
    try {
      for (const step of environment.steps()) check(step, await runBehind(step));
      environment.finish();
    } finally {
      environment.unlock();
    }
  }
  return environment.python;
}

/**
 * Spark runs on Java.
 * @throws Error with what is needed when it is missing or too old
 */
export function requireJava(environment: NodeJS.ProcessEnv = process.env): void {
  const command = environment.JAVA_HOME ? join(environment.JAVA_HOME, "bin/java") : "java";
  const { status, output } = run({ command, args: ["-version"], what: "asking for Java's version" });
  const fix = `Install Java ${JAVA_MAJOR} or newer (Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17) and put it on the PATH or name it in JAVA_HOME.`;
  if (status !== 0) throw new Error(`The Glue jobs run on Spark, which needs Java, but ${command} cannot be run. ${fix}`);
  const [version = "", old = "", current = ""] = /version "(?:1\.(\d+)|(\d+))/.exec(output) ?? [];
  if (Number(old || current) < JAVA_MAJOR)
    throw new Error(
      `The Glue jobs run on Spark, which needs Java ${JAVA_MAJOR}, but ${command} says ${version || output}. ${fix}`,
    );
}

/** Runs a Python command to its end. @returns what it printed */
export function runPython(command: string, args: readonly string[], what: string): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (error === undefined && status === 0) return stdout;
  throw new Error(`${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}

/** Where the archive of Spark's classes lies, if it could be made. */
export const classArchiveOf = (python: string): string => join(dirname(dirname(python)), "spark-classes.jsa");

class Environment {
  readonly python: string;
  private readonly folder: string;
  private readonly requirementsFile: string;
  private readonly requirements: string;

  constructor(private readonly root: string) {
    this.folder = join(root, ".local/python");
    this.python = join(this.folder, "bin/python");
    this.requirementsFile = join(root, REQUIREMENTS);
    this.requirements = readFileSync(this.requirementsFile, "utf8");
  }

  isReady(): boolean {
    return existsSync(this.stamp) && readFileSync(this.stamp, "utf8") === this.requirements;
  }

  /** @returns false while another process makes the environment */
  lock(): boolean {
    mkdirSync(join(this.root, ".local"), { recursive: true });
    try {
      mkdirSync(this.lockFolder);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      if (isAbandoned(this.lockFolder)) this.unlock();
      return false;
    }
    writeFileSync(join(this.lockFolder, "pid"), String(process.pid));
    return true;
  }

  unlock(): void {
    rmSync(this.lockFolder, { recursive: true, force: true });
  }

  steps(): Step[] {
    if (this.isReady()) return []; // another process has just finished
    const python = findPython();
    process.stderr.write("Setting up Python with Spark and XGBoost under .local/python, once; this takes one to two minutes …\n");
    rmSync(this.folder, { recursive: true, force: true });
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", this.requirementsFile];
    return [
      {
        command: python,
        args: ["-m", "venv", this.folder],
        what: "creating a virtual environment (Debian and Ubuntu: apt install python3-venv)",
      },
      { command: this.python, args: install, what: `installing the packages of ${REQUIREMENTS} from PyPI` },
      {
        command: this.python,
        args: [join(this.root, CLASS_ARCHIVE_SCRIPT), classArchiveOf(this.python)],
        what: "archiving Spark's classes",
        otherwise: "Glue jobs start more slowly",
      },
    ];
  }

  /** Written last: an environment without it is half made. */
  finish(): void {
    writeFileSync(this.stamp, this.requirements);
  }

  private get stamp(): string {
    return join(this.folder, "requirements.txt");
  }

  private get lockFolder(): string {
    return join(this.root, ".local/python.lock");
  }
}

function isAbandoned(lockFolder: string): boolean {
  try {
    const isOld = Date.now() - statSync(lockFolder).mtimeMs > LOCK_MS;
    const pid = existsSync(join(lockFolder, "pid")) ? Number(readFileSync(join(lockFolder, "pid"), "utf8")) : 0;
    return isOld || (pid > 0 && !isAlive(pid));
  } catch {
    return false; // it went away meanwhile
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function findPython(): string {
  const ask = "import sys; print(sys.version_info[0], sys.version_info[1])";
  const found: string[] = [];
  for (const command of [...PYTHON_MINORS.map((minor) => `python3.${minor}`), "python3"]) {
    const { status, output } = run({ command, args: ["-c", ask], what: "asking for Python's version" });
    if (status !== 0) continue;
    const [major = "", minor = ""] = output.trim().split(" ");
    if (major === "3" && PYTHON_MINORS.includes(Number(minor))) return command;
    found.push(`${command} is ${major}.${minor}`);
  }
  throw new Error(
    `The batch pipelines need Python 3.10, 3.11 or 3.12, found ${found.join(", ") || "none"}. ` +
      "Install one (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.11) and put it on the PATH.",
  );
}

function run({ command, args }: Step): Outcome {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return { status: error === undefined ? status : null, output: error?.message ?? `${stdout}${stderr}` };
}

function runBehind({ command, args }: Step): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", (error) => resolve({ status: null, output: error.message }));
    child.on("close", (status) => resolve({ status, output }));
  });
}

function check({ what, otherwise }: Step, { status, output }: Outcome): void {
  if (status === 0) return;
  if (otherwise !== undefined) {
    process.stderr.write(`${otherwise}, because ${what} failed: ${output.trim().split("\n").at(-1)}\n`);
    return;
  }
  throw new Error(
    `The Python environment of the batch pipelines could not be made: ${what} failed: ${output.trim()}\n` +
      `Needed are Python 3.10 to 3.12 with venv and, once, access to PyPI; see ${REQUIREMENTS}.`,
  );
}
