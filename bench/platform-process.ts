/** A platform on this machine in a process of its own, so that its memory and CPU time are its own; the benchmark is its client. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startPlatform } from "@risk/local-aws";

export interface Usage {
  /** Bytes, garbage collected, when no function has work. */
  readonly rss: number;
  readonly disk: number;
}

interface Ready {
  readonly connection: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly warehouseUrl: string;
  /** The stack's outputs that are texts. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface PlatformProcess extends Ready {
  /** Waits until no function has work. */
  usage(): Promise<Usage>;
  /** Seconds that the platform's main process has taken so far; functions and PostgreSQL are processes of their own. */
  cpuSeconds(): Promise<number>;
}

/** What a project folder needs besides its stack files. */
const PROJECT = [
  "Pulumi.yaml",
  "dist",
  "bundles",
  "functions",
  "models",
  "jobs",
  "packages",
  "build",
  "sql",
  "package.json",
  "node_modules",
];

/** Starts the dev stack without DynamoDB's metering, runs `work`, and removes every trace. `change` edits the stack file. */
export async function withPlatform<T>(
  work: (platform: PlatformProcess) => Promise<T>,
  change: (stackFile: string) => string = (text) => text,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  for (const name of PROJECT) symlinkSync(resolve(name), join(folder, name));
  writeFileSync(join(folder, "Pulumi.dev.yaml"), change(readFileSync("Pulumi.dev.yaml", "utf8")));
  const child = fork(__filename, [folder], { execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"] });
  const ask = <A>(question: "usage" | "cpuSeconds") => {
    child.send(question);
    return next<A>(child);
  };
  try {
    const ready = await next<Ready>(child);
    return await work({ ...ready, usage: () => ask("usage"), cpuSeconds: () => ask("cpuSeconds") });
  } finally {
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await new Promise((done) => child.once("exit", done));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The child's next message. */
function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`The platform's process ended with status ${code}.`));
    child.once("exit", ended);
    child.once("message", (message) => {
      child.off("exit", ended);
      resolve(message as T);
    });
  });
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    if (!entry.isFile()) return sum;
    // Some are gone again by now.
    return sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** The platform's process: says where it listens, then answers questions until its parent disconnects. */
async function serve(projectDir: string): Promise<void> {
  const dataDir = join(projectDir, ".local");
  const platform = await startPlatform({ stack: "dev", projectDir, dataDir, metering: "off" });
  const { endpointUrl: endpoint, region, credentials, warehouseUrl, services } = platform;
  const usage = async (): Promise<Usage> => {
    services.lambda.flush();
    while (!services.lambda.idle()) await pause(50);
    globalThis.gc?.();
    return { rss: process.memoryUsage.rss(), disk: bytesIn(dataDir) };
  };
  const cpuSeconds = async (): Promise<number> => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const answers = { usage, cpuSeconds };
  process.on("message", (question: keyof typeof answers) => {
    void answers[question]().then((answer) => process.send?.(answer));
  });
  process.once("disconnect", () => void platform.stop().then(() => process.exit(0)));
  const texts = Object.entries(platform.outputs).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const ready: Ready = { connection: { endpoint, region, credentials }, warehouseUrl, outputs: Object.fromEntries(texts) };
  process.send?.(ready);
}

if (require.main === module) {
  serve(process.argv[2] ?? "").catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
}
