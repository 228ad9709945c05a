/** `npm start`: runs the platform of a stack on this machine until Ctrl-C. */
import { watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Platform, Usage } from "@risk/local-aws";
import { examples } from "./examples";
import { type ChosenFaults, chosenFaults, faultOptions } from "./faults/choice";
import { announcement, injectedText } from "./faults/report";
import { type CommandLine, parseCommandLine, portOption, runCommand } from "./options";
import { nextSignal, type Running, start, stop } from "./running";
import { paint } from "./terminal";

const command: CommandLine = {
  usage: "npm start -- [options]",
  about: [
    "Runs the platform of a stack on this machine and keeps it running until Ctrl-C.",
    "Writes .local/outputs.json for scripts. Edits to the stack file are applied while it runs.",
  ].join("\n"),
  options: {
    stack: { type: "string", value: "NAME", help: "Stack to run; Pulumi.NAME.yaml configures it.", default: "dev" },
    port: { type: "string", value: "PORT", help: "Port of the AWS endpoint; 0 picks a free one.", default: "4566" },
    "in-memory": { type: "boolean", help: "Keeps state only in memory and a temporary folder." },
    "no-metering": { type: "boolean", help: "Doesn't hold provisioned tables to their capacity units." },
    ...faultOptions,
    verbose: { type: "boolean", help: "Prints what the runtime does, call by call." },
  },
  examples: [
    "npm start",
    "npm start -- --stack staging --port 0",
    "npm start -- --in-memory --no-metering",
    "npm start -- --faults flaky --seed 7",
  ],
};

/** Its message is the name of the signal. */
class Interrupted extends Error {}

async function main(): Promise<number> {
  const options = parseCommandLine(command);
  const stack = options.text("stack") ?? "dev";
  const port = portOption(options.text("port"), "port");
  const verbose = options.flag("verbose");
  const faults = chosenFaults(options);
  const startedAt = performance.now();
  // Listens from the first moment, so that an interrupted start stops what it has started.
  const interruption = new AbortController();
  const interrupted = nextSignal().then((signal) => {
    interruption.abort(new Interrupted(signal));
    return signal;
  });
  const running = await start({
    stack,
    inMemory: options.flag("in-memory"),
    dataDir: resolve(".local", stack),
    ...(port === undefined ? {} : { port }),
    metering: options.flag("no-metering") ? "off" : "enforced",
    onFirstRefusal: (usage) => process.stdout.write(`${paint("yellow", "!")} ${refusalText(usage)}\n`),
    log: (line) => {
      if (verbose) process.stderr.write(`${line}\n`);
    },
    onTrouble: (line) => process.stdout.write(`${paint("yellow", "!")} ${line}\n`),
    signal: interruption.signal,
  }).catch((error: unknown) => {
    if (!(error instanceof Interrupted)) throw error;
    process.stdout.write(`\n${error.message}: stopped before it had started.\n`);
    // Whatever the given-up start still waits for must not keep the terminal.
    process.exit(0);
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${paint("green", "●")} Stack ${stack} runs on this machine (${seconds} s). Ctrl-C stops it.\n\n`);
  for (const warning of running.platform.graph.warnings) process.stdout.write(`${paint("yellow", "!")} ${warning}\n\n`);
  process.stdout.write(examples(running.outputs, running.outputsPath));
  if (faults !== undefined) beginFaults(running.platform, faults);
  process.once("uncaughtException", (error) => void giveUp(running, error));
  const watcher = followStackFile(running.platform, stack);
  const signal = await interrupted;
  process.stdout.write(`\n${signal}: stopping …\n`);
  watcher.close();
  await stop(running);
  if (faults !== undefined) process.stdout.write(injectedText(running.platform.faults.injected(), faults));
  process.stdout.write("Stopped.\n");
  return 0;
}

function beginFaults(platform: Platform, faults: ChosenFaults): void {
  platform.faults.inject(faults.seed, faults.schedule.rules);
  process.stdout.write(`${paint("yellow", "!")} ${announcement(faults)}\n`);
}

/** What no service could answer for: the platform ends, with everything that it started, instead of going on half broken. */
async function giveUp(running: Running, error: Error): Promise<void> {
  process.stderr.write(`\nThe platform stops: ${error.message} (data folder ${running.platform.dataDir})\n`);
  await stop(running);
  process.exit(1);
}

/** Printed once per table. */
function refusalText({ table, kind, unitsPerSecond }: Usage): string {
  return `Table ${table} has used up its ${kind.toLowerCase()} units. From now on it takes ${unitsPerSecond} a second, as on AWS, and the rest waits (docs/capacity.md). Start with --no-metering to lift this limit.`;
}

/** Applies edits of Pulumi.<stack>.yaml to the running platform, one at a time; the last one wins. */
function followStackFile(platform: Platform, stack: string): { close(): void } {
  const file = resolve(`Pulumi.${stack}.yaml`);
  let again = false;
  let busy = false;
  const apply = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    do {
      again = false;
      process.stdout.write(await describeReload(platform, file));
    } while (again);
    busy = false;
  };
  // Editors replace files, so the folder is watched, not the inode.
  return watch(dirname(file), (_, name) => {
    if (name !== null && join(dirname(file), name) === file) void apply();
  });
}

async function describeReload(platform: Platform, file: string): Promise<string> {
  const result = await platform
    .reload()
    .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }));
  if ("error" in result)
    return `${paint("yellow", "!")} ${basename(file)} was not applied; the last good config stays in force:\n${result.error}\n`;
  const lines = [
    ...result.applied.map((name) => `${paint("green", "✓")} applied: ${name}`),
    ...result.needsRestart.map((name) => `${paint("yellow", "!")} needs a restart: ${name}`),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

runCommand(main);
