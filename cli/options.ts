/** Command lines: parser, `--help` text and errors from one description of the options. */
import { parseArgs } from "node:util";

export interface Option {
  readonly type: "string" | "boolean";
  readonly help: string;
  /** Placeholder for the value in the help text: `NAME`. */
  readonly value?: string;
  readonly default?: string | boolean;
  readonly multiple?: boolean;
}

export interface CommandLine {
  readonly usage: string;
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
}

export interface Parsed {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

/** A mistake in calling a command: printed without a stack trace, exit status 2. */
export class UsageError extends Error {
  readonly code = "USAGE";
}

export function helpText(command: CommandLine): string {
  const names = Object.entries({ ...command.options, help: { type: "boolean", help: "Shows this text." } as Option });
  const left = names.map(([name, option]) => `--${name}${option.type === "string" ? ` ${option.value ?? "VALUE"}` : ""}`);
  const width = Math.max(...left.map((text) => text.length));
  const lines = names.map(([, option], i) => {
    const fallback = option.default === undefined || option.default === false ? "" : ` [default: ${option.default}]`;
    return `  ${(left[i] ?? "").padEnd(width)}  ${option.help}${fallback}`;
  });
  return [
    `Usage: ${command.usage}`,
    "",
    command.about,
    "",
    "Options:",
    ...lines,
    "",
    "Examples:",
    ...command.examples.map((e) => `  ${e}`),
    "",
  ].join("\n");
}

/** Parses `argv`; with `--help` prints the help text and ends the process. */
export function parseCommandLine(command: CommandLine, argv: readonly string[] = process.argv.slice(2)): Parsed {
  const options: Record<string, { type: "string" | "boolean"; multiple?: boolean }> = { help: { type: "boolean" } };
  for (const [name, option] of Object.entries(command.options)) {
    options[name] = { type: option.type, multiple: option.multiple ?? false };
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${helpText(command)}`);
  }
  if (parsed.values.help === true) {
    process.stdout.write(helpText(command));
    process.exit(0);
  }
  const given = (name: string) => parsed.values[name] ?? command.options[name]?.default;
  return {
    positionals: parsed.positionals,
    text: (name) => {
      const value = given(name);
      return typeof value === "string" ? value : undefined;
    },
    list: (name) => {
      const value = given(name);
      return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
    },
    flag: (name) => given(name) === true,
  };
}

/** A TCP port: a whole number from 0 (any free port) to 65535. */
export function portOption(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`--${name}: expected a whole number from 0 to 65535 (0 picks a free port), got "${text}".`);
  }
  return port;
}

/** Runs a command's main function. Errors are printed as a message; usage errors exit with 2, others with 1. DEBUG=1 adds the stack trace. */
export function runCommand(main: () => Promise<number>): void {
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      process.stderr.write(`${message}\n`);
      if (process.env.DEBUG && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    },
  );
}
