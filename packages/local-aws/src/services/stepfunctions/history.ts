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

/** An event as GetExecutionHistory returns it. */
export function describeEvent({ id, previousEventId, type, timestamp, details }: HistoryEvent): object {
  return {
    id,
    previousEventId,
    type,
    timestamp: new Date(timestamp),
    ...(details === undefined ? {} : { [detailsKey(type)]: details }),
  };
}

/** An event as a line in the state machine's log group. */
export function logLine(event: HistoryEvent, executionArn: string): string {
  return JSON.stringify({
    id: String(event.id),
    type: event.type,
    details: event.details ?? {},
    redrive_count: "0",
    previous_event_id: String(event.previousEventId),
    event_timestamp: String(event.timestamp),
    execution_arn: executionArn,
  });
}
