/** What every function that takes events reads from its environment: which profile they are of, and how old they may be. */
import { fraud } from "#validators";
import type { Validate } from "../scoring/core/json-schema";
import type { AnyProfile } from "../scoring/core/profile";
import { FRAUD } from "../scoring/profiles/fraud";
import type { EnvReader } from "../shared/env";

export interface StreamedProfile {
  readonly profile: AnyProfile;
  readonly validate: Validate;
}

/** How far an event's own time may lie from its arrival. */
export interface EventTimeLimits {
  readonly maxAgeMs: number;
  readonly maxFutureMs: number;
}

/** The profiles with state, by id: a record is scored with the history of its user. */
const STREAMED: Readonly<Record<"fraud", StreamedProfile>> = { fraud: { profile: FRAUD, validate: fraud } };

const DAY_MS = 86_400_000;

/** From PROFILE. */
export const readStreamedProfile = (env: EnvReader): StreamedProfile =>
  STREAMED[env.oneOf("PROFILE", Object.keys(STREAMED) as (keyof typeof STREAMED)[])];

/** From MAX_EVENT_AGE_DAYS and MAX_EVENT_FUTURE_MINUTES. */
export const readEventTime = (env: EnvReader): EventTimeLimits => ({
  maxAgeMs: env.number("MAX_EVENT_AGE_DAYS", 7300, 1, 36_500) * DAY_MS,
  maxFutureMs: env.number("MAX_EVENT_FUTURE_MINUTES", 60, 0, 525_600) * 60_000,
});
