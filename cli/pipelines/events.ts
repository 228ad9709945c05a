/** Describes the events of an execution's history for people. Pure. */
import type { HistoryEvent } from "@aws-sdk/client-sfn";
import { paint } from "../terminal";

/** States that take time; the others only control the flow. */
const SHOWN = /^(Task|Map|Parallel|Wait)StateExited$/;

/** A line, or undefined for an event that isn't worth showing. `byId` holds the events so far. */
export function describeEvent(event: HistoryEvent, byId: ReadonlyMap<number, HistoryEvent>): string | undefined {
  const type: string = event.type ?? "";
  if (SHOWN.test(type)) {
    const name = event.stateExitedEventDetails?.name ?? "";
    return `  ${paint("green", "✓")} ${wordsOf(name).padEnd(28)} ${secondsOf(event, enteredBefore(event, name, byId))}`;
  }
  const failure =
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.lambdaFunctionFailedEventDetails ??
    event.taskSubmitFailedEventDetails;
  if (failure === undefined) return undefined;
  const why = firstLine(messageOf(failure.cause) ?? failure.error ?? "failed");
  return `  ${paint("red", "✗")} ${wordsOf(stateOf(event, byId)).padEnd(28)} ${failure.error ?? ""}: ${why}`;
}

/** `ExtractTrainingData` → `extract training data`. */
export function wordsOf(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}

/** The message in a cause: the error message of a function or job, or else the whole text. */
export function messageOf(cause: string | undefined): string | undefined {
  if (cause === undefined || cause === "") return undefined;
  try {
    const value: unknown = JSON.parse(cause);
    if (typeof value !== "object" || value === null) return cause;
    for (const name of ["errorMessage", "ErrorMessage", "FailureReason"]) {
      const text = (value as Readonly<Record<string, unknown>>)[name];
      if (typeof text === "string" && text !== "") return text;
    }
    return cause;
  } catch {
    return cause;
  }
}

const firstLine = (text: string): string => {
  const [line = ""] = text.split("\n", 1);
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
};

function* before(event: HistoryEvent, byId: ReadonlyMap<number, HistoryEvent>): Generator<HistoryEvent> {
  let current = byId.get(event.previousEventId ?? 0);
  while (current !== undefined) {
    yield current;
    current = byId.get(current.previousEventId ?? 0);
  }
}

function enteredBefore(event: HistoryEvent, name: string, byId: ReadonlyMap<number, HistoryEvent>): HistoryEvent | undefined {
  for (const earlier of before(event, byId)) if (earlier.stateEnteredEventDetails?.name === name) return earlier;
  return undefined;
}

function stateOf(event: HistoryEvent, byId: ReadonlyMap<number, HistoryEvent>): string {
  for (const earlier of before(event, byId)) {
    const name = earlier.stateEnteredEventDetails?.name;
    if (name !== undefined) return name;
  }
  return "";
}

function secondsOf(event: HistoryEvent, entered: HistoryEvent | undefined): string {
  if (event.timestamp === undefined || entered?.timestamp === undefined) return "";
  return `${((event.timestamp.getTime() - entered.timestamp.getTime()) / 1000).toFixed(1)} s`;
}
