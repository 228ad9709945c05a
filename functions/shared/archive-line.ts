import type { ArchiveRecord } from "../scoring/core/archive-record";
import { withJsonMember } from "../scoring/core/json";
import { type AnyProfile, flagColumns } from "../scoring/core/profile";
import type { ChallengerScore, Decision, ModelFallback } from "../scoring/core/types";
import { storableText } from "./storable";
import type { Tokeniser } from "./tokeniser";

/** How an event came. */
export type EventSource = "kinesis" | "eventbridge" | "firehose" | "rest" | "s3";

/** An accepted record, whatever its source. */
export interface AcceptedEvent {
  readonly eventId: string;
  readonly source: EventSource;
  /** `shardId-000000000000:4959…`, `eventbridge:` and the envelope's id, `firehose:<stream>:<record>`, or the id of the API request. */
  readonly sourcePosition: string;
  readonly input: unknown;
  /** `profile.stored(input)`. */
  readonly stored: Readonly<Record<string, unknown>>;
  /** Hash of the stored input. */
  readonly inputHash: string;
  readonly userToken: string | null;
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** The result of scoring. */
export interface EventScore {
  /** ISO 8601. */
  readonly scoredAt: string;
  readonly decision: Decision;
  /** The vector that the decision was made from; NaN means not known. */
  readonly features: Float64Array;
}

/** Every column must be named; `undefined` leaves it out. */
type Members = { readonly [Field in Exclude<keyof ArchiveRecord, "features">]-?: ArchiveRecord[Field] | undefined };

/**
 * The archive line of a scored event. Personal fields are replaced here, in the last step before anything is stored.
 * @param challengers empty when no model runs in shadow
 * @param featureText the features by name as JSON text (`featureWriter`)
 */
export function archiveLine(
  profile: AnyProfile,
  event: AcceptedEvent,
  { scoredAt, decision, features }: EventScore,
  challengers: readonly ChallengerScore[],
  featureText: string,
  tokeniser: Tokeniser,
): string {
  const { role, fallback = [] } = decision.modelSource ?? {};
  const { geo_flag, velocity_flag, amount_flag, hour_flag } = flagColumns(profile, decision);
  const columns = profile.columns(event.input, features);
  // Member by member, those that are absent as undefined: all lines of a profile then have one shape, which JSON.stringify is fast at.
  const members: Members = {
    event_id: event.eventId,
    profile: profile.id,
    source: event.source,
    source_position: event.sourcePosition,
    user_id: event.userToken,
    occurred_at: event.occurredAt,
    scored_at: scoredAt,
    score: decision.score,
    score_scale: profile.scale.max,
    band: decision.band,
    model_version: decision.modelVersion,
    policy_version: decision.policyVersion,
    model_role: role,
    model_fallback: fallback.length === 0 ? undefined : fallbackText(fallback),
    challengers: challengers.length === 0 ? undefined : challengers,
    flags: decision.flags,
    reasons: decision.reasons,
    geo_flag,
    velocity_flag,
    amount_flag,
    hour_flag,
    amount: columns.amount,
    currency: columns.currency,
    category: columns.category,
    country: columns.country,
    latitude: columns.latitude,
    longitude: columns.longitude,
    distance_km: columns.distance_km,
    speed_kmh: columns.speed_kmh,
    input: tokeniser.protect(event.stored),
    input_hash: event.inputHash,
  };
  return storableText(withJsonMember(members, "features", featureText));
}

/** `churn-endpoint: timeout; churn-trees-2: artifact`. */
export const fallbackText = (fallback: readonly ModelFallback[]): string =>
  fallback.map(({ model, reason }) => `${model}: ${reason}`).join("; ");
