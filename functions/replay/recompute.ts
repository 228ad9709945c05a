/** Features computed anew from the archived inputs, as if the events had arrived in the order in which they happened. */
import { type AnyProfile, countingTime } from "../scoring/core/profile";
import type { Rates } from "../scoring/core/rates";
import type { ArchivedEvent } from "./archived-event";
import { archivedRates } from "./archived-rates";
import type { LeftOut, Row } from "./rescore";

/** An event, and whether it only builds up the state of its user. */
export interface Remembered {
  readonly event: ArchivedEvent;
  readonly warmUp: boolean;
}

/**
 * Rows of the events that aren't of the warm-up, in order of occurrence, then of id. States begin with nothing, so all events of a user
 * have to be given together. Inputs are those of the archive: personal values are tokens, of which equal ones stay equal. Places are
 * rounded to a tenth of a degree there, so a feature that depends on the event's place keeps its archived value, where it has one.
 */
export function recompute(events: readonly Remembered[], profile: AnyProfile): readonly (Row | LeftOut)[] {
  const states = new Map<string, unknown>();
  const rows: (Row | LeftOut)[] = [];
  const placeless = withoutPlaces(profile);
  for (const { event, warmUp } of profile.stateful ? events.toSorted(byOccurrence) : events) {
    const rates = archivedRates(event, profile);
    const input = inputOf(event.record.input, profile, rates);
    if (input === undefined) {
      if (!warmUp) rows.push({ event, leftOut: "its archived input can't be read by this version of the profile" });
      continue;
    }
    const user = event.record.user_id;
    // The archive has no time of arrival; scoring follows it within seconds.
    const at = countingTime(profile.occurredAtMs(input), Date.parse(event.record.scored_at));
    const state = user === null ? null : (states.get(user) ?? null);
    if (!warmUp) {
      const features = extracted(profile, input, state, at);
      const elsewhere = placeless(event.record.input, rates);
      if (elsewhere !== undefined) keepPlaces(features, extracted(profile, elsewhere, state, at), event.features);
      rows.push({ event, features });
    }
    if (profile.stateful && user !== null) states.set(user, profile.fold(state, input, at));
  }
  return rows;
}

function byOccurrence({ event: a }: Remembered, { event: b }: Remembered): number {
  // ISO 8601 in UTC, always with milliseconds: texts are in the order of their times within the years that are accepted.
  if (a.record.occurred_at !== b.record.occurred_at) return a.record.occurred_at < b.record.occurred_at ? -1 : 1;
  return a.record.event_id < b.record.event_id ? -1 : 1;
}

function inputOf(archived: Readonly<Record<string, unknown>>, profile: AnyProfile, rates: Rates): unknown {
  try {
    const input = profile.normalise(archived, rates);
    return profile.check(input).length === 0 ? input : undefined;
  } catch {
    return undefined;
  }
}

function extracted(profile: AnyProfile, input: unknown, state: unknown, at: number): Float64Array {
  const features = new Float64Array(profile.features.size);
  profile.extract(input, state, features, at);
  return features;
}

/** Reads an archived input as if it had no place; undefined for one that has none. */
function withoutPlaces(profile: AnyProfile): (archived: Readonly<Record<string, unknown>>, rates: Rates) => unknown {
  const places = Object.entries(profile.schema.properties ?? {}).flatMap(([name, { "x-classification": kind }]) =>
    kind === "location" ? [name] : [],
  );
  return (archived, rates) => {
    if (!places.some((name) => typeof archived[name] === "number")) return undefined;
    return inputOf({ ...archived, ...Object.fromEntries(places.map((name) => [name, undefined])) }, profile, rates);
  };
}

/** A feature depends on the place if it is another one without it. */
function keepPlaces(features: Float64Array, elsewhere: Float64Array, archived: Float64Array): void {
  for (let slot = 0; slot < features.length; slot++) {
    if (!Object.is(features[slot], elsewhere[slot]) && !Number.isNaN(archived[slot])) features[slot] = archived[slot]!;
  }
}
