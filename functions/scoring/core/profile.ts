/**
 * What the platform knows about one kind of record. A profile is a folder under `functions/scoring/profiles/` and one line in its
 * registry; REST, stream and batch all score through it. Every function is pure: no clock, environment or I/O.
 */

import type { ArchiveRecord } from "./archive-record";
import type { FeatureSet } from "./features";
import type { JsonSchema, SchemaError } from "./json-schema";
import type { PolicyDocument } from "./policy-document";
import type { Rates } from "./rates";
import type { Decision, Problem } from "./types";

/** Upper end of the score, and how its parts are combined (see `decide`). */
export interface Scale {
  readonly max: 1 | 100;
  /** `additive`: points, clamped to the scale. `noisy-or`: independent probabilities. */
  readonly combine: "additive" | "noisy-or";
}

/** When a record arrived, and how far its own time may lie from that. All in milliseconds (UTC epoch, durations). */
export interface Arrival {
  readonly arrivedAtMs: number;
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
}

/** The columns of {@link ArchiveRecord} that depend on the profile's input and features. */
export type ArchiveColumns = Pick<
  ArchiveRecord,
  "amount" | "currency" | "category" | "country" | "latitude" | "longitude" | "distance_km" | "speed_kmh"
>;

/** The columns that say by which kind of rule an event stands out, whatever its score. */
export type FlagColumn = "geo_flag" | "velocity_flag" | "amount_flag" | "hour_flag";

export interface Profile<Input, State> {
  /** `lead`, `churn`, `fraud`, `device`: also the name of its validator in `#validators`. */
  readonly id: string;
  /** A sentence for documentation. */
  readonly description: string;
  readonly scale: Scale;
  /** Schema of a raw record; validator, gateway models and OpenAPI are made from it. */
  readonly schema: JsonSchema;
  /** Schema of the answer's members that only this profile has ({@link answer}). */
  readonly answerSchema: JsonSchema;
  readonly features: FeatureSet;
  /** The policy that a new stack starts with. */
  readonly defaultPolicy: PolicyDocument;
  /** True when scores depend on what the user did before; then {@link fold} and a state table are used. */
  readonly stateful: boolean;

  /** Fields that name the event and its user: their text has to be a key (`key-text.ts`). */
  readonly keys: readonly string[];

  /**
   * Turns a raw record that passed the schema into an input: known fields only, defaults filled in. `rates` are those in force now, for
   * profiles with money: the input holds the amount in the reference currency and the rate, so nothing after it needs them. Default: US
   * dollars and no rates.
   */
  normalise(raw: Readonly<Record<string, unknown>>, rates?: Rates): Input;
  /** Problems that a schema can't see, such as a date that doesn't exist. Empty when there are none. */
  check(input: Input): readonly Problem[];
  /** Turns the schema's errors into problems where the profile's contract prescribes the message; by default `problems` does. */
  describeErrors?(errors: readonly SchemaError[], raw: unknown): readonly Problem[];
  /** Id of the event; null when the caller has to give one (REST). */
  eventId(input: Input): string | null;
  /** Time of the event, ms since the epoch; null when it is the time of arrival. */
  occurredAtMs(input: Input): number | null;
  /** The user, card or account as given (personal: tokenise before storing); null when the profile has none. */
  userKey(input: Input): string | null;
  /**
   * Writes the features into `out` (length `features.size`). `state` is what was known before this record; null for the first. `at` is the
   * time that the record counts at ({@link countingTime}).
   */
  extract(input: Input, state: State | null, out: Float64Array, at: number): void;
  /**
   * The state after this record: a plain JSON value of limited size (< 5 KB). Does not change its argument. Records come in any order, and
   * the order must not change what is counted.
   */
  fold(state: State | null, input: Input, at: number): State;
  /** The input as it may be stored, before tokenisation: plain JSON with only the fields that were given (others absent or undefined). */
  stored(input: Input): Readonly<Record<string, unknown>>;
  columns(input: Input, features: Float64Array): ArchiveColumns;
  /** For each column, the ids of the policy's rules that make it true when any of them fires. */
  readonly flagColumns: Readonly<Record<FlagColumn, readonly string[]>>;
  /** Members of a REST answer beyond the decision, e.g. `{ result: "Will Exit" }`. */
  answer(score: number, thresholds: Readonly<Record<string, number>>): Readonly<Record<string, unknown>>;
}

/**
 * The time that a record counts at, in ms since the epoch: its own, but not after its arrival. A clock that is fast must not make the
 * records after it look old.
 */
export const countingTime = (occurredAtMs: number | null, arrivedAtMs: number): number =>
  occurredAtMs === null ? arrivedAtMs : Math.min(occurredAtMs, arrivedAtMs);

/** A profile whose input and state types are private to it. Methods are bivariant, so every profile can be assigned to it. */
export type AnyProfile = Profile<unknown, unknown>;

/** Columns of a profile without money, place or movement. */
export const NO_COLUMNS: ArchiveColumns = {
  amount: null,
  currency: null,
  category: null,
  country: null,
  latitude: null,
  longitude: null,
  distance_km: null,
  speed_kmh: null,
};

/** The flag columns of a decision: which kinds of rules fired, by the thresholds of the policy that it was made with. */
export function flagColumns(profile: AnyProfile, { flags }: Pick<Decision, "flags">): Readonly<Record<FlagColumn, boolean>> {
  const fired = (rules: readonly string[]): boolean => rules.some((rule) => flags.includes(rule));
  const { geo_flag, velocity_flag, amount_flag, hour_flag } = profile.flagColumns;
  return {
    geo_flag: fired(geo_flag),
    velocity_flag: fired(velocity_flag),
    amount_flag: fired(amount_flag),
    hour_flag: fired(hour_flag),
  };
}

/** For a profile whose rules have no column of their own. */
export const NO_FLAG_COLUMNS: Profile<unknown, unknown>["flagColumns"] = {
  geo_flag: [],
  velocity_flag: [],
  amount_flag: [],
  hour_flag: [],
};
