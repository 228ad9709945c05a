/** `npm run engine`: runs the real Pulumi CLI with the local platform as its provider. */
import { spawn, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { cliEnvironment, copyStackFiles, type Session, startSession } from "@risk/local-aws/provider";
import { examples } from "./examples";
import { runCommand, UsageError } from "./options";
import { outputsFile } from "./outputs";
import { nextSignal, outputsOf, removeOutputs, writeOutputs } from "./running";
import { announceProvider, runningProvider } from "./running-provider";
import { serveShippedModel } from "./shipped-models";
import { paint } from "./terminal";

const COMMANDS = ["preview", "up", "refresh", "destroy", "serve"] as const;
type Command = (typeof COMMANDS)[number];

const HELP = `Usage: npm run engine -- COMMAND [--stack NAME] [--exit] [options of pulumi]

Runs the Pulumi CLI on the PATH with this machine's platform as the provider "aws": real previews, diffs, state, secrets and
destroy, without an account. State is kept under .local/engine; the stack files are not changed.

Commands:
  preview   shows what an update would change
  up        updates the stack, then keeps it running until Ctrl-C
  refresh   updates the state from what the provider keeps
  destroy   removes everything that was created
  serve     runs what was created and prints the variables with which any pulumi command works

Options:
  --stack NAME  Stack to work on; Pulumi.NAME.yaml configures it. [default: dev]
  --exit        up: exits when the update is done.
  --help        Shows this text.
  All other options are passed to pulumi: --yes, --diff, --json, --target URN …

While up or serve is running, the other commands can be used from another terminal.

Examples:
  npm run engine -- preview --diff
  npm run engine -- up --yes
  npm run engine -- destroy --yes --stack staging
`;

interface Arguments {
  readonly command: Command;
  readonly stack: string;
  readonly exit: boolean;
  /** Arguments for pulumi. */
  readonly rest: readonly string[];
}

export function parseEngineArguments(argv: readonly string[]): Arguments | "help" {
  const rest: string[] = [];
  let stack = "dev";
  let exit = false;
  const [first, ...others] = argv;
  for (let index = 0; index < others.length; index++) {
    const argument = others[index] ?? "";
    if (argument === "--help" || argument === "-h") return "help";
    if (argument === "--exit") exit = true;
    else if (argument.startsWith("--stack=")) stack = argument.slice("--stack=".length);
    else if (argument === "--stack" || argument === "-s") stack = others[++index] ?? "";
    else rest.push(argument);
  }
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return "help";
  const command = COMMANDS.find((known) => known === first);
  if (command === undefined) throw new UsageError(`Expected one of ${COMMANDS.join(", ")}, got "${first}".\n\n${HELP}`);
  if (!/^[A-Za-z0-9_.-]+$/.test(stack)) throw new UsageError(`--stack: expected the name of a stack, got "${stack}".`);
  return { command, stack, exit, rest };
}

async function main(): Promise<number> {
  const parsed = parseEngineArguments(process.argv.slice(2));
  if (parsed === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  const projectDir = process.cwd();
  const folder = resolve(".local", "engine");
  if (parsed.command !== "serve") requireCli();
  const file = join(folder, parsed.stack, "provider.json");
  const notice = (line: string) => void process.stderr.write(`${line}\n`);
  const other = await runningProvider(file, notice);
  if (other !== undefined) {
    if (parsed.command === "serve") throw new UsageError(`Stack ${parsed.stack} is already being served (process ${other.pid}).`);
    return pulumi(parsed, projectDir, folder, other.port);
  }
  const interrupted = nextSignal();
  const session = await startSession({
    projectDir,
    stack: parsed.stack,
    folder,
    notice,
    onCreated: (resource, { sagemaker }) => serveShippedModel(resource, sagemaker),
  });
  const withdraw = announceProvider(file, session.port);
  try {
    if (parsed.command !== "serve") {
      const status = await pulumi(parsed, projectDir, folder, session.port);
      if (status !== 0 || parsed.command !== "up" || parsed.exit) return status;
    }
    await keepRunning(parsed, projectDir, folder, session, interrupted);
    return 0;
  } finally {
    withdraw();
    await session.stop();
  }
}

function requireCli(): void {
  const { status } = spawnSync("pulumi", ["version"], { stdio: "ignore" });
  if (status === 0) return;
  throw new UsageError(
    [
      "`pulumi` is not on the PATH. Install it (https://www.pulumi.com/docs/install/), or build it with Go 1.26 or later:",
      "  npm run engine:cli",
      '  export PATH="$PWD/.local/pulumi-cli:$PATH"',
    ].join("\n"),
  );
}

/** Runs a command of the CLI; creates the stack the first time. @returns the exit status */
async function pulumi({ command, stack, rest }: Arguments, projectDir: string, folder: string, port: number): Promise<number> {
  const env = { ...process.env, ...cliEnvironment(folder, port) };
  const files = copyStackFiles(projectDir, stack, folder);
  const select = spawnSync("pulumi", ["stack", "select", stack, "--create", "--non-interactive"], {
    cwd: files.folder,
    env,
    encoding: "utf8",
  });
  if (select.status !== 0) {
    process.stderr.write(select.stderr);
    return select.status ?? 1;
  }
  const child = spawn("pulumi", [command, "--stack", stack, "--config-file", files.configFile, ...rest], {
    cwd: projectDir,
    env,
    stdio: "inherit",
  });
  return new Promise((ended, failed) => {
    child.once("error", failed);
    child.once("exit", (code) => ended(code ?? 1));
  });
}

async function keepRunning(
  { command, stack }: Arguments,
  projectDir: string,
  folder: string,
  session: Session,
  interrupted: Promise<string>,
): Promise<void> {
  const environment = cliEnvironment(folder, session.port);
  const written = command === "up" ? publish(stack, projectDir, session, { ...process.env, ...environment }) : undefined;
  const lines = Object.entries(environment).map(([name, value]) =>
    name === "PATH" ? `export PATH="$PATH:${join(folder, "bin")}"` : `export ${name}=${value}`,
  );
  process.stdout.write(
    `\n${paint("green", "●")} Stack ${stack} runs on this machine. Ctrl-C stops it; what was created is kept.\n\n`,
  );
  if (written !== undefined) process.stdout.write(written);
  process.stdout.write(`${paint("bold", "# To use any pulumi command in another terminal")}\n${lines.join("\n")}\n`);
  const signal = await interrupted;
  process.stdout.write(`\n${signal}: stopping …\n`);
  removeOutputs(outputsFile());
}

/** Writes `.local/outputs.json` from the stack's outputs. @returns lines to paste */
function publish(stack: string, projectDir: string, session: Session, env: NodeJS.ProcessEnv): string {
  const shown = spawnSync("pulumi", ["stack", "output", "--json", "--show-secrets", "--stack", stack], {
    cwd: projectDir,
    env,
    encoding: "utf8",
  });
  if (shown.status !== 0) throw new Error(shown.stderr);
  const { context, credentials } = session.runtime;
  const outputs = outputsOf(
    {
      outputs: JSON.parse(shown.stdout) as Readonly<Record<string, unknown>>,
      endpointUrl: context.endpointUrl,
      credentials: credentials.owner,
      region: context.region,
      warehouseUrl: session.warehouseUrl(),
    },
    stack,
  );
  return examples(outputs, writeOutputs(outputs));
}

if (require.main === module) runCommand(main);
