/** What became of the days of an inference execution. Pure. */
import { isObject } from "../../scoring/core/json";
import type { DayOutcome } from "../common/events";

export interface ScoredDay {
  readonly date: string;
  readonly status: "scored" | "empty";
  readonly rows: number;
}

/** Days that went well; the others as sentences. A day without inspection and without error counts as failed: it never got that far. */
export function outcomes(days: readonly DayOutcome[]): {
  readonly done: readonly ScoredDay[];
  readonly failed: readonly string[];
} {
  const done: ScoredDay[] = [];
  const failed: string[] = [];
  for (const { date, inspection, error } of days) {
    // What follows in the sentence brings its own punctuation.
    if (error !== undefined) failed.push(`${date}: ${error.Error}: ${reasonIn(error.Cause ?? "").replace(/\.$/, "")}`);
    else if (inspection === undefined) failed.push(`${date}: it was never inspected`);
    else done.push({ date, status: inspection.empty ? "empty" : "scored", rows: inspection.rows });
  }
  return { done, failed };
}

/** A cause is cut here: a backfill has many days, and a state machine carries 256 KB. */
const MAX_REASON = 600;

/** Where Lambda, Glue and SageMaker put the message in the JSON of a cause. */
const MESSAGE_MEMBERS = ["errorMessage", "ErrorMessage", "FailureReason"];

/** The message in a cause, which is JSON of the service that failed, or plain text. */
export function reasonIn(cause: string): string {
  const message = messageIn(cause) ?? cause;
  return message.length > MAX_REASON ? `${message.slice(0, MAX_REASON)}…` : message || "no cause was given";
}

function messageIn(cause: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(cause);
  } catch {
    // Plain text is a cause of its own.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const found = MESSAGE_MEMBERS.map((name) => value[name]).find((message) => typeof message === "string" && message !== "");
  return typeof found === "string" ? found : undefined;
}
