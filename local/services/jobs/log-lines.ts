import type { JobPorts } from "./ports";

/** Writes lines to a stream, all of one call with the same time. */
export type LogLines = (lines: readonly string[]) => void;

export function logLines(ports: JobPorts, group: string, stream: string): LogLines {
  return (lines) => {
    const timestamp = ports.context.clock.now();
    ports.writeLogs(
      group,
      stream,
      lines.map((message) => ({ timestamp, message })),
    );
  };
}
