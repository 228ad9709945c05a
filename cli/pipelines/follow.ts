/** Follows an execution of a state machine: prints a line when a state ends, and returns the outcome. */
import {
  DescribeExecutionCommand,
  type ExecutionStatus,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from "@aws-sdk/client-sfn";
import { describeEvent } from "./events";

export interface Outcome {
  readonly executionArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly seconds: number;
  /** Parsed JSON output of a successful execution; undefined otherwise. */
  readonly output: unknown;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

export interface FollowOptions {
  readonly print: (line: string) => void;
  readonly pollMs: number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Waits for the end of an execution and prints its states on the way. */
export async function follow(sfn: SFNClient, executionArn: string, options: FollowOptions): Promise<Outcome> {
  let lastShown = 0;
  for (;;) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const events = await historyOf(sfn, executionArn);
    const byId = new Map(events.map((event) => [event.id ?? 0, event]));
    for (const event of events) {
      if ((event.id ?? 0) <= lastShown) continue;
      lastShown = event.id ?? lastShown;
      const line = describeEvent(event, byId);
      if (line !== undefined) options.print(line);
    }
    const { status = "RUNNING", startDate, stopDate } = execution;
    if (status !== "RUNNING" && status !== "PENDING_REDRIVE") {
      return {
        executionArn,
        name: execution.name ?? "",
        status,
        seconds: ((stopDate?.getTime() ?? Date.now()) - (startDate?.getTime() ?? 0)) / 1000,
        output: execution.output === undefined ? undefined : JSON.parse(execution.output),
        error: execution.error,
        cause: execution.cause,
      };
    }
    await options.pause(options.pollMs);
  }
}

async function historyOf(sfn: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 1000, ...(nextToken === undefined ? {} : { nextToken }) }),
    );
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return events;
}
