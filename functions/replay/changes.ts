/** What a replay changes: the difference of each decision, and sums over many, which add up in any order. */
import type { ArchiveRecord } from "../scoring/core/archive-record";
import { type AnyProfile, flagColumns } from "../scoring/core/profile";
import type { Reason } from "../scoring/core/types";
import { storableText } from "../shared/storable";
import { isRescored, type Outcome, type Rescored } from "./rescore";

/** How a new decision differs from the one in the archive. */
export interface Change {
  readonly eventId: string;
  /** Score, band, reasons and flags are the same, bit by bit. */
  readonly unchanged: boolean;
  /** So are the versions of policy and model, and the model's role. */
  readonly identical: boolean;
  readonly from: { readonly score: number; readonly band: string };
  readonly to: { readonly score: number; readonly band: string };
  /** Rules that fired now and did not then, and the reverse. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** Sums over the events of a profile. Names are counted by name. */
export interface Changes {
  readonly events: number;
  readonly unchanged: number;
  readonly identical: number;
  /** By reason: events that keep their decision because they could not be scored again. */
  readonly leftOut: Counts;
  /** Events whose archived score has a random part, for a demonstration: no replay can repeat it. */
  readonly random: number;
  /** `low → high`. */
  readonly bands: Counts;
  readonly gained: Counts;
  readonly lost: Counts;
  /** Features whose recomputed value differs from the archived one. */
  readonly features: Counts;
  /** Events whose score differs, the sum of the amounts by which, and the largest, in the profile's scale. */
  readonly moved: number;
  readonly movedBy: number;
  readonly largest: number;
  /** Those that moved most. */
  readonly examples: readonly Change[];
}

export type Counts = Readonly<Record<string, number>>;

/** Reason of the random part. */
const RANDOM = "demo_jitter";
const EXAMPLES = 5;

export const NO_CHANGES: Changes = {
  events: 0,
  unchanged: 0,
  identical: 0,
  leftOut: {},
  random: 0,
  bands: {},
  gained: {},
  lost: {},
  features: {},
  moved: 0,
  movedBy: 0,
  largest: 0,
  examples: [],
};

export function changeOf(rescored: Rescored, profile: AnyProfile): Change {
  const { event, decision } = rescored;
  const { record } = event;
  const made = newMembers(rescored, profile);
  const unchanged = sameResult(made, record);
  return {
    eventId: record.event_id,
    unchanged,
    identical: unchanged && ORIGIN.every((name) => made[name] === record[name]),
    from: { score: record.score, band: record.band },
    to: { score: decision.score, band: decision.band },
    gained: decision.flags.filter((flag) => !record.flags.includes(flag)),
    lost: record.flags.filter((flag) => !decision.flags.includes(flag)),
  };
}

/** The members of a line that a decision fills. */
export function newMembers({ event: { record }, decision, keptModel }: Rescored, profile: AnyProfile) {
  return {
    score: decision.score,
    score_scale: profile.scale.max,
    band: decision.band,
    model_version: decision.modelVersion,
    policy_version: decision.policyVersion,
    model_role: keptModel ? record.model_role : undefined,
    model_fallback: keptModel ? record.model_fallback : undefined,
    flags: decision.flags,
    reasons: decision.reasons,
    ...flagColumns(profile, decision),
  };
}

type DecisionMembers = ReturnType<typeof newMembers>;

const RESULT = [
  "score",
  "score_scale",
  "band",
  "geo_flag",
  "velocity_flag",
  "amount_flag",
  "hour_flag",
] as const satisfies readonly (keyof DecisionMembers)[];
const ORIGIN = [
  "model_version",
  "policy_version",
  "model_role",
  "model_fallback",
] as const satisfies readonly (keyof DecisionMembers)[];

/** JSON writes a double so that it can be read back exactly, so equal members are equal bit by bit. */
function sameResult(made: DecisionMembers, record: ArchiveRecord): boolean {
  const { flags, reasons } = record;
  return (
    RESULT.every((name) => made[name] === record[name]) &&
    made.flags.length === flags.length &&
    made.flags.every((flag, index) => flag === flags[index]) &&
    made.reasons.length === reasons.length &&
    made.reasons.every((reason, index) => sameReason(reason, reasons[index]!))
  );
}

const sameReason = (a: Reason, b: Reason): boolean =>
  a.code === b.code && a.contribution === b.contribution && (a.text === b.text || storable(a.text) === b.text);

/** The text as the archive stores it, without characters that the warehouse doesn't accept. */
const storable = (text: string): string => JSON.parse(storableText(JSON.stringify(text))) as string;

/** Sums up outcomes; `counted` leaves out those that are counted elsewhere. */
export function sumUp(outcomes: readonly Outcome[], profile: AnyProfile, counted: (index: number) => boolean): Changes {
  let events = 0;
  let unchanged = 0;
  let identical = 0;
  let random = 0;
  let moved = 0;
  let movedBy = 0;
  let largest = 0;
  const counts = { leftOut: {}, bands: {}, gained: {}, lost: {}, features: {} };
  const changed: Change[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (!counted(index)) continue;
    events++;
    if (!isRescored(outcome)) {
      count(counts.leftOut, outcome.leftOut);
      continue;
    }
    if (outcome.event.record.reasons.some(({ code }) => code === RANDOM)) random++;
    const change = changeOf(outcome, profile);
    if (change.identical) identical++;
    if (change.unchanged) unchanged++;
    else changed.push(change);
    for (const rule of change.gained) count(counts.gained, rule);
    for (const rule of change.lost) count(counts.lost, rule);
    if (change.from.band !== change.to.band) count(counts.bands, `${change.from.band} → ${change.to.band}`);
    const difference = distance(change);
    if (difference > 0) moved++;
    movedBy += difference;
    largest = Math.max(largest, difference);
    for (const name of differing(outcome, profile)) count(counts.features, name);
  }
  return { events, unchanged, identical, random, moved, movedBy, largest, ...counts, examples: mostMoved(changed) };
}

export function addChanges(a: Changes, b: Changes): Changes {
  return {
    events: a.events + b.events,
    unchanged: a.unchanged + b.unchanged,
    identical: a.identical + b.identical,
    leftOut: added(a.leftOut, b.leftOut),
    random: a.random + b.random,
    bands: added(a.bands, b.bands),
    gained: added(a.gained, b.gained),
    lost: added(a.lost, b.lost),
    features: added(a.features, b.features),
    moved: a.moved + b.moved,
    movedBy: a.movedBy + b.movedBy,
    largest: Math.max(a.largest, b.largest),
    examples: mostMoved([...a.examples, ...b.examples]),
  };
}

const distance = ({ from, to }: Change): number => Math.abs(to.score - from.score);

function mostMoved(changes: readonly Change[]): readonly Change[] {
  if (changes.length === 0) return changes;
  return changes.toSorted((a, b) => distance(b) - distance(a) || (a.eventId < b.eventId ? -1 : 1)).slice(0, EXAMPLES);
}

function differing({ event, features }: Rescored, { features: { definitions } }: AnyProfile): readonly string[] {
  if (features === event.features) return [];
  return definitions.filter((_, slot) => !same(features[slot]!, event.features[slot]!)).map(({ name }) => name);
}

/** The archive has no −0, and null for what isn't finite. */
const same = (a: number, b: number): boolean => a === b || (!Number.isFinite(a) && Number.isNaN(b));

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function added(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
