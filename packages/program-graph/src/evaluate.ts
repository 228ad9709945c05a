/** Runs a Pulumi program in this process and records what it registers: a graph with deterministic provider outputs. */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import * as runtime from "@pulumi/pulumi/runtime/index.js";
import * as runtimeState from "@pulumi/pulumi/runtime/state.js";
import type { Graph } from "./graph";
import { sharePackageTree } from "./package-tree";
import { Recorder, type RecorderOptions } from "./recorder";
import { isRecord } from "./values";

export interface EvaluateOptions extends RecorderOptions {
  /** Absolute path of the emitted program (`dist/index.js`), or the program itself. */
  readonly program: string | (() => unknown);
}

let queue: Promise<unknown> = Promise.resolve();

/**
 * Evaluates the program; nothing is created. Evaluations of one process run one after the other, since working folder,
 * rejection handlers and the module cache are shared. Apart from that they are independent.
 * @throws Error with every unsupported type, unknown field, duplicate URN and failed output.
 */
export function evaluate(options: EvaluateOptions): Promise<Graph> {
  const run = queue.then(() => runtimeState.withLocalStorage(() => evaluateNow(options)));
  queue = run.catch(() => undefined);
  return run;
}

async function evaluateNow(options: EvaluateOptions): Promise<Graph> {
  const { config, projectDir } = options;
  const recorder = new Recorder(options);
  runtime.setAllConfig({ ...config.values, "aws:region": config.region }, [...config.secretKeys]);
  await runtime.setMocks(
    { newResource: (args) => recorder.newResource(args), call: (args) => recorder.call(args.token, args.inputs) },
    config.project,
    config.stack,
    false,
    "local",
  );
  recorder.attach();
  const readAnew = sharePackageTree();
  const restore = takeProcess(projectDir, recorder);
  let outputs: unknown;
  try {
    outputs = await runtime.runInPulumiStack(async () => runProgram(options.program));
    await settle();
  } catch (error) {
    await settle();
    recorder.rejected(error);
  } finally {
    readAnew();
    restore();
  }
  return recorder.finish(isRecord(outputs) ? outputs : {});
}

async function runProgram(program: EvaluateOptions["program"]): Promise<Record<string, unknown> | undefined> {
  const exported: unknown = typeof program === "string" ? loadFresh(program) : program;
  const entry = isRecord(exported) && "default" in exported ? exported.default : exported;
  const result: unknown = typeof entry === "function" ? await entry() : entry;
  return isRecord(result) ? result : undefined;
}

/** Loads the program again: a module that registered resources or read config must not be reused by the next evaluation. */
function loadFresh(program: string): unknown {
  const load = createRequire(program);
  // The cache knows files by their real paths; the project's folder may be a link.
  const root = dirname(realpathSync(program)) + sep;
  for (const path of Object.keys(load.cache)) {
    if (path.startsWith(root) && !path.includes(`${sep}node_modules${sep}`)) delete load.cache[path];
  }
  return load(program);
}

/** How `pulumi.log.warn` writes where no engine listens. */
const WARNING = "warning: [runtime] ";

/** While it runs, the evaluation owns working folder, unhandled rejections, warnings and stack traces; the returned function restores them. */
function takeProcess(projectDir: string, recorder: Recorder): () => void {
  const onRejection = (reason: unknown): void => recorder.rejected(reason);
  const { stackTraceLimit } = Error;
  // Pulumi renders a stack for each of its thousands of promises, a tenth of the whole start; problems are reported by their messages.
  Error.stackTraceLimit = 0;
  const folder = process.cwd();
  if (folder !== projectDir) process.chdir(projectDir);
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onRejection);
  const { warn } = console;
  console.warn = (...parts: unknown[]): void => {
    const [text] = parts;
    if (typeof text === "string" && text.startsWith(WARNING)) recorder.warnings.push(text.slice(WARNING.length));
    else warn(...parts);
  };
  return () => {
    console.warn = warn;
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onRejection);
    for (const listener of listeners) process.on("unhandledRejection", listener);
    if (folder !== projectDir) process.chdir(folder);
  };
}

/** Resolves when all registrations are done and unhandled rejections have been reported, one turn of the event loop later. */
async function settle(): Promise<void> {
  const store = runtimeState.getStore();
  let done: unknown;
  while (done !== store.settings.rpcDone) {
    done = store.settings.rpcDone;
    await store.settings.rpcDone.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
}
