import { featureWriter } from "../scoring/core/features";
import type { GenerationRecord } from "../scoring/core/generation-record";
import { withJsonMember } from "../scoring/core/json";
import type { AnyProfile } from "../scoring/core/profile";
import { storableText } from "../shared/storable";
import { newMembers } from "./changes";
import type { Rescored } from "./rescore";

export interface Generation {
  readonly number: number;
  /** ISO 8601; one for the whole generation, so that writing it again gives the same bytes. */
  readonly scoredAt: string;
}

/** Every column must be named; `undefined` leaves it out. */
type Members = { readonly [Field in Exclude<keyof GenerationRecord, "features">]-?: GenerationRecord[Field] | undefined };

/** The lines of a decision generation, as JSON text. */
export function generationLines(profile: AnyProfile, { number, scoredAt }: Generation): (rescored: Rescored) => string {
  const write = featureWriter(profile.features);
  return (rescored) => {
    const { record } = rescored.event;
    const members: Members = {
      event_id: record.event_id,
      decision_generation: number,
      profile: profile.id,
      user_id: record.user_id,
      occurred_at: record.occurred_at,
      scored_at: scoredAt,
      ...newMembers(rescored, profile),
    };
    return storableText(withJsonMember(members, "features", write(rescored.features).json));
  };
}
