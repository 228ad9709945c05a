/** The events of an execution, in the shapes of GetExecutionHistory. */

export type Details = Readonly<Record<string, unknown>>;

export interface HistoryEvent {
  /** From 1. */
  readonly id: number;
  /** The event that this one follows; 0 for the first. Branches and iterations are told apart by it. */
  readonly previousEventId: number;
  /** `TaskStateEntered`, `TaskSucceeded` … */
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly details: Details | undefined;
}

/** AWS ends an execution that reaches this number. */
export const maxEvents = 25_000;

/** Of texts in histories, which are complete here. */
export const notTruncated = { truncated: false };

/** `taskSucceededEventDetails`; the events of all states share theirs. */
function detailsKey(type: string): string {
  if (type.endsWith("StateEntered")) return "stateEnteredEventDetails";
  if (type.endsWith("StateExited")) return "stateExitedEventDetails";
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

const dataMembers = ["input", "inputDetails", "output", "outputDetails", "parameters"];

function withoutData(details: Details): Details {
  return Object.fromEntries(Object.entries(details).filter(([name]) => !dataMembers.includes(name)));
}

/** An event as GetExecutionHistory answers it. */
export function describeEvent(event: HistoryEvent, includeData: boolean): object {
  const { id, previousEventId, type, timestamp, details } = event;
  const shown = details === undefined || includeData ? details : withoutData(details);
  return {
    id,
    previousEventId,
    type,
    timestamp: new Date(timestamp),
    ...(shown === undefined ? {} : { [detailsKey(type)]: shown }),
  };
}

export type LogLevel = "OFF" | "FATAL" | "ERROR" | "ALL";

/** Which events a level logs. Source: developer guide, "Log levels for Step Functions execution events". */
export function isLogged(type: string, level: LogLevel): boolean {
  if (level === "OFF") return false;
  if (level === "ALL") return true;
  const ends = ["ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"];
  if (level === "FATAL") return ends.includes(type);
  return ends.includes(type) || type === "FailStateEntered" || /(Failed|TimedOut|Aborted)$/.test(type);
}

/** An event as a line in the state machine's log group. */
export function logLine(event: HistoryEvent, executionArn: string, includeData: boolean): string {
  return JSON.stringify({
    id: String(event.id),
    type: event.type,
    details: event.details === undefined || includeData ? (event.details ?? {}) : withoutData(event.details),
    redrive_count: "0",
    previous_event_id: String(event.previousEventId),
    event_timestamp: String(event.timestamp),
    execution_arn: executionArn,
  });
}
