/** Which records and messages a redrive takes. */
import { parseTimestamp } from "../../functions/scoring/core/timestamp";
import { UsageError } from "../options";

export const SOURCES = ["quarantine", "failures", "dlq"] as const;
export type Source = (typeof SOURCES)[number];

export interface Selection {
  readonly sources: readonly Source[];
  /** Any of these codes: of quarantine, of Lambda's condition, of EventBridge's error. Undefined: all that may succeed. */
  readonly reason: readonly string[] | undefined;
  /** Nothing that arrived before, in ms. */
  readonly sinceMs: number;
}

export interface Candidate {
  readonly reason: string;
  readonly arrivedAtMs: number;
}

/** An event whose id belongs to another event will be refused as long as that one is known, so it is only sent again by name. */
const NEVER_BY_DEFAULT = ["duplicate_conflict"];

export function isSelected({ reason, arrivedAtMs }: Candidate, selection: Selection): boolean {
  if (arrivedAtMs < selection.sinceMs) return false;
  return selection.reason === undefined ? !NEVER_BY_DEFAULT.includes(reason) : selection.reason.includes(reason);
}

/** @throws UsageError for an unknown source, an empty reason or a time that is none */
export function selectionOf(from: readonly string[], reasons: readonly string[], since: string | undefined): Selection {
  const unknown = from.find((name) => !SOURCES.some((source) => source === name));
  if (unknown !== undefined) throw new UsageError(`--from: expected ${SOURCES.join(", ")}, got "${unknown}".`);
  if (reasons.some((reason) => reason.trim() === ""))
    throw new UsageError("--reason: expected a code such as not_json, got none.");
  // Of the times of events, only those with a date: a bare number would be seconds.
  const sinceMs = since === undefined ? 0 : since.includes("-") ? parseTimestamp(since) : Number.NaN;
  if (Number.isNaN(sinceMs))
    throw new UsageError(`--since: expected an ISO 8601 time such as 2026-11-21T09:00:00Z, got "${since}".`);
  return {
    sources: SOURCES.filter((source) => from.length === 0 || from.includes(source)),
    reason: reasons.length === 0 ? undefined : reasons,
    sinceMs,
  };
}
