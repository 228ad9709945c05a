/** Which records and messages a redrive takes. */
import { UsageError } from "../options";

export const SOURCES = ["quarantine", "failures", "dlq"] as const;
export type Source = (typeof SOURCES)[number];

export interface Selection {
  readonly sources: readonly Source[];
  /** A code: of quarantine, of Lambda's condition, of EventBridge's error. Undefined: all that may succeed. */
  readonly reason: string | undefined;
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
  return selection.reason === undefined ? !NEVER_BY_DEFAULT.includes(reason) : reason === selection.reason;
}

/** @throws UsageError for an unknown source or a time that is none */
export function selectionOf(from: readonly string[], reason: string | undefined, since: string | undefined): Selection {
  const unknown = from.find((name) => !SOURCES.some((source) => source === name));
  if (unknown !== undefined) throw new UsageError(`--from: expected ${SOURCES.join(", ")}, got "${unknown}".`);
  const sinceMs = since === undefined ? 0 : Date.parse(since);
  if (Number.isNaN(sinceMs))
    throw new UsageError(`--since: expected an ISO 8601 time such as 2026-11-21T09:00:00Z, got "${since}".`);
  return { sources: SOURCES.filter((source) => from.length === 0 || from.includes(source)), reason, sinceMs };
}
