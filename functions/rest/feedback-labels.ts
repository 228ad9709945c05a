/** Labels as received → labels to store, or every problem. Pure: the time is passed in. */
import { hashJson } from "../scoring/core/hash";
import type { Validate } from "../scoring/core/json-schema";
import { keyProblem } from "../scoring/core/key-text";
import type { LabelRecord } from "../scoring/core/label-record";
import { boundsProblems, problems } from "../scoring/core/problems";
import { parseTimestamp } from "../scoring/core/timestamp";
import type { Problem } from "../scoring/core/types";
import { dateOf } from "../shared/object-keys";
import { DEFAULT_SOURCE, FEEDBACK_SCHEMA } from "./feedback-schema";

/** How far the sender's clock may be ahead of ours. */
export const MAX_SKEW_MS = 5 * 60_000;
/** Problems listed for one request; the others are counted. */
const MAX_PROBLEMS = 50;

/** One label of the body, after the schema check. */
interface GivenLabel {
  readonly event_id: string;
  readonly label: boolean;
  readonly labelled_at?: string;
  readonly source?: string;
}

export interface Labels {
  /** Sorted by key, so that the same labels in another order are the same batch. */
  readonly records: readonly LabelRecord[];
  /** Labels that repeat another label of the body. */
  readonly duplicates: number;
  /**
   * Hash of the labels. Labels without a time get their time of arrival, so their batch belongs to one day: sent again on the same day it
   * is a repetition, sent on another day it is a verdict of that day.
   */
  readonly batchId: string;
}

export type ReadLabels =
  | { readonly ok: true; readonly labels: Labels }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readLabels(body: unknown, validate: Validate, now: number): ReadLabels {
  const oversized = typeof body === "object" && body !== null ? boundsProblems(body) : [];
  if (oversized.length > 0) return { ok: false, problems: oversized };
  if (!validate(body)) return { ok: false, problems: problems(validate.errors ?? [], body, FEEDBACK_SCHEMA) };
  // The validator has established the shape.
  const { labels: given } = body as { readonly labels: readonly GivenLabel[] };

  const found: Problem[] = [];
  const kept = new Map<string, { readonly index: number; readonly label: GivenLabel; readonly at: string | null }>();
  let duplicates = 0;
  for (const [index, label] of given.entries()) {
    const { event_id, source = DEFAULT_SOURCE, labelled_at } = label;
    const at = labelled_at === undefined ? null : parseTimestamp(labelled_at);
    const wrong = [idProblem(event_id, index), at === null ? null : timeProblem(at, index, now)];
    found.push(...wrong.filter((problem) => problem !== null));
    if (wrong.some((problem) => problem !== null)) continue;
    const time = at === null ? null : new Date(at).toISOString();
    const key = JSON.stringify([event_id, source, time]);
    const other = kept.get(key);
    if (other === undefined) kept.set(key, { index, label, at: time });
    else if (other.label.label === label.label) duplicates += 1;
    else found.push(contradiction(index, other.index));
  }
  if (found.length > 0) return { ok: false, problems: limited(found) };

  const received_at = new Date(now).toISOString();
  const sorted = [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const isOfToday = sorted.some(({ at }) => at === null);
  const said = sorted.map(({ label, at }) => [label.event_id, label.source ?? DEFAULT_SOURCE, at, label.label]);
  return {
    ok: true,
    labels: {
      records: sorted.map(({ label, at }) => ({
        event_id: label.event_id,
        label: label.label,
        labelled_at: at ?? received_at,
        source: label.source ?? DEFAULT_SOURCE,
        received_at,
      })),
      duplicates,
      batchId: hashJson([isOfToday ? dateOf(now) : "", said]).slice(0, 32),
    },
  };
}

function idProblem(id: string, index: number): Problem | null {
  const detail = keyProblem(id);
  return detail === null ? null : { pointer: `/labels/${index}/event_id`, detail };
}

function timeProblem(at: number, index: number, now: number): Problem | null {
  const pointer = `/labels/${index}/labelled_at`;
  // Comparisons with NaN are false.
  if (!(at >= 0)) return { pointer, detail: "Expected an ISO 8601 time that exists, since 1970, such as 2026-03-20T09:30:00Z." };
  if (at <= now + MAX_SKEW_MS) return null;
  const latest = new Date(now + MAX_SKEW_MS).toISOString();
  return { pointer, detail: `Expected a time in the past, ${latest} at the latest. A verdict is known already.` };
}

function contradiction(index: number, other: number): Problem {
  return {
    pointer: `/labels/${index}/label`,
    detail: `Expected the same label as /labels/${other}, which has the same event, source and time, got the opposite. Give each its own labelled_at.`,
  };
}

function limited(found: readonly Problem[]): readonly Problem[] {
  if (found.length <= MAX_PROBLEMS) return found;
  const detail = `${found.length - MAX_PROBLEMS} more problems are not listed.`;
  return [...found.slice(0, MAX_PROBLEMS), { pointer: "", detail }];
}
