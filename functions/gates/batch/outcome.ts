/** How the days of an inference execution ended. Pure. */
import { isObject } from "../../scoring/core/json";
import type { DayOutcome } from "../common/events";

export interface ScoredDay {
  readonly date: string;
  readonly status: "scored" | "empty";
  readonly rows: number;
}

/** Days that succeeded, and the others as sentences. A day with neither inspection nor error counts as failed: it never got that far. */
export function outcomes(days: readonly DayOutcome[]): {
  readonly done: readonly ScoredDay[];
  readonly failed: readonly string[];
} {
  const done: ScoredDay[] = [];
  const failed: string[] = [];
  for (const { date, inspection, error } of days) {
    // The sentence that this goes into brings its own punctuation.
    if (error !== undefined) failed.push(`${date}: ${error.Error}: ${reasonIn(error.Cause ?? "").replace(/\.$/, "")}`);
    else if (inspection === undefined) failed.push(`${date}: it was never inspected`);
    else done.push({ date, status: inspection.empty ? "empty" : "scored", rows: inspection.rows });
  }
  return { done, failed };
}

/** Causes are cut to this length: a backfill has many days, and a state machine carries at most 256 KB. */
const MAX_REASON = 600;

/** Where Lambda, Glue and SageMaker put the message in a cause's JSON. */
const MESSAGE_MEMBERS = ["errorMessage", "ErrorMessage", "FailureReason"];

/** The message in a cause, which is either the failed service's JSON or plain text. */
export function reasonIn(cause: string): string {
  const message = messageIn(cause) ?? cause;
  return message.length > MAX_REASON ? `${message.slice(0, MAX_REASON)}…` : message || "no cause was given";
}

function messageIn(cause: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(cause);
  } catch {
    // Plain text: the whole cause is the message.
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const found = MESSAGE_MEMBERS.map((name) => value[name]).find((message) => typeof message === "string" && message !== "");
  return typeof found === "string" ? found : undefined;
}
