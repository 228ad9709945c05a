/**
 * One JSON object per line. Takes counts, codes and ids that we made ourselves (request ids, sequence numbers, object keys), but
 * never an input or a field of one, so that nothing personal gets into the logs.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Takes finished lines. Lambda makes one log event of every line of standard output. */
export type LineSink = (line: string) => void;

/** `process.stdout` rather than `console.log`: the Node runtime prefixes the latter, and a prefixed metric line is not EMF. */
export const stdoutSink: LineSink = (line) => {
  process.stdout.write(`${line}\n`);
};

const ORDER: readonly string[] = ["debug", "info", "warn", "error"];

/** `level` is the lowest level that is written; an unknown one counts as `info`. */
export function createLog(level: string, base: LogFields, sink: LineSink = stdoutSink): Log {
  const configured = ORDER.indexOf(level.toLowerCase());
  const lowest = configured === -1 ? 1 : configured;
  const writer = (name: LogLevel) => {
    if (ORDER.indexOf(name) < lowest) return () => {};
    return (event: string, fields?: LogFields): void => {
      sink(JSON.stringify({ level: name, event, timestamp: new Date().toISOString(), ...base, ...fields }));
    };
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/**
 * A failure of the code at a record, without the error's message, which may quote the record: `TypeError at fold (state.js:12:5)`. The log
 * gets no more either.
 */
export function codeFailure(error: unknown): string {
  if (!(error instanceof Error)) return "The code threw something that is not an error.";
  const { name, message, stack = "" } = error;
  // The stack begins with the message, whose lines may look like anything.
  const start = stack.indexOf(message);
  const frame = start < 0 ? undefined : /^ +at (.*)$/m.exec(stack.slice(start + message.length))?.[1];
  return frame === undefined ? name : `${name} at ${frame}`;
}

/** Name and message of whatever was thrown, for a log line. */
export function describeError(error: unknown): { readonly name: string; readonly message: string } {
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: "UnknownError", message: String(error) };
}
