/** A clone of the project, the provider of this machine, and the real Pulumi CLI between the two. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Session, SessionOptions } from "@risk/local-aws/provider";
import { load, ROOT } from "../helpers/recorder";
import { withConfig } from "../helpers/stack-file";

const { startSession, cliEnvironment, copyStackFiles } = load("@risk/local-aws/provider") as {
  startSession(options: SessionOptions): Promise<Session>;
  cliEnvironment(folder: string, port: number): Readonly<Record<string, string>>;
  copyStackFiles(projectDir: string, stack: string, folder: string): { readonly folder: string; readonly configFile: string };
};

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `create function:Function scoring-lead-function` */
export type Step = string;

export interface World {
  readonly projectDir: string;
  readonly session: Session;
  readonly env: NodeJS.ProcessEnv;
  /** Ends the provider and starts another one over what it kept. */
  restart(): Promise<void>;
  /** Fails the creation of resources of these logical names. */
  readonly failing: Set<string>;
  /** Runs `pulumi ARGS` for the stack. */
  pulumi(...args: readonly string[]): Promise<Outcome>;
  /** Runs it under another Node. */
  under(node: string): Pick<World, "pulumi" | "preview">;
  /** What an update would do besides leaving resources as they are; throws when the preview fails. */
  preview(...args: readonly string[]): Promise<readonly Step[]>;
  /** Writes members of the clone's stack file, as `pulumi config set --path` does; `undefined` removes one. */
  configure(values: Readonly<Record<string, unknown>>): void;
  /** The state file as text. */
  state(): string;
  stop(): Promise<void>;
}

interface PreviewOutput {
  readonly steps: readonly { readonly op: string; readonly urn: string }[];
  readonly diagnostics?: readonly { readonly message: string }[];
}

/** Every tracked or new file of the working tree, in a folder of its own; packages are linked. */
export function cloneProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "clone-"));
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" });
  for (const file of listed.split("\n").filter((name) => name !== "")) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** @param select false leaves it to the test to make the stack */
export async function startWorld(stack: string, { select = true } = {}): Promise<World> {
  const projectDir = cloneProject();
  const folder = join(projectDir, ".local", "engine");
  const failing = new Set<string>();
  const open = () =>
    startSession({
      projectDir,
      stack,
      folder,
      onCreate: (urn) => {
        const name = urn.split("::").at(-1) ?? "";
        if (failing.has(name)) throw new Error(`AccessDenied: ${name}`);
      },
    });
  let session = await open();
  const environment = () => ({ ...process.env, ...cliEnvironment(folder, session.port) });
  const running = new Set<ChildProcess>();
  const run = (env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Outcome> => {
    const { folder: copies, configFile } = copyStackFiles(projectDir, stack, folder);
    const ofStackFile = args[0] === "stack" || args[0] === "state";
    const options = ofStackFile ? [] : ["--stack", stack, "--config-file", configFile, "--non-interactive"];
    return execute("pulumi", [...args, ...options], { cwd: ofStackFile ? copies : projectDir, env }, running);
  };
  const withEnvironment = (env: () => NodeJS.ProcessEnv): Pick<World, "pulumi" | "preview"> => ({
    pulumi: (...args) => run(env(), args),
    async preview(...args) {
      const { status, stdout, stderr } = await run(env(), ["preview", "--json", ...args]);
      const { steps, diagnostics } = JSON.parse(stdout) as PreviewOutput;
      if (status !== 0) throw new Error([...(diagnostics ?? []).map(({ message }) => message), stderr].join("\n"));
      return (
        steps
          // With --refresh the engine lists every resource that it reads.
          .filter(({ op }) => op !== "same" && op !== "refresh")
          .map(({ op, urn }) => `${op} ${shortOf(urn)}`)
          .sort()
      );
    },
  });
  if (select) await run(environment(), ["stack", "select", stack, "--create"]);
  return {
    projectDir,
    get session() {
      return session;
    },
    get env() {
      return environment();
    },
    async restart() {
      await session.stop();
      session = await open();
    },
    failing,
    ...withEnvironment(environment),
    under: (node) =>
      withEnvironment(() => {
        const env = environment();
        return { ...env, PATH: `${dirname(node)}${delimiter}${env.PATH}` };
      }),
    configure(values) {
      const file = join(projectDir, `Pulumi.${stack}.yaml`);
      writeFileSync(file, withConfig(readFileSync(file, "utf8"), values));
    },
    state: () => readFileSync(join(folder, "state", ".pulumi", "stacks", "risk", `${stack}.json`), "utf8"),
    async stop() {
      for (const child of running) child.kill();
      await session.stop();
      rmSync(projectDir, { recursive: true, force: true });
    },
  };
}

/** `urn:pulumi:dev::risk::risk:scoring:ScoringApi$aws:lambda/function:Function::name` → `function:Function name` */
function shortOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return `${types.split("$").at(-1)?.split("/").at(-1)} ${name.join("::")}`;
}

export function execute(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  running = new Set<ChildProcess>(),
): Promise<Outcome> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  return new Promise((ended, failed) => {
    child.once("error", failed);
    child.once("close", (status) => {
      running.delete(child);
      ended({ status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}
