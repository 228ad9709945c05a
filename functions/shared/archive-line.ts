import type { ArchiveRecord } from "../scoring/core/archive-record";
import { withJsonMember } from "../scoring/core/json";
import { type AnyProfile, flagColumns } from "../scoring/core/profile";
import type { ChallengerScore, Decision, ModelFallback } from "../scoring/core/types";
import { storableText } from "./storable";
import type { Tokeniser } from "./tokeniser";

/** An accepted record, whatever its source. */
export interface AcceptedEvent {
  readonly eventId: string;
  readonly source: "kinesis" | "rest";
  /** `shardId-000000000000:4959…`, or the id of the API request. */
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
  const columns = profile.columns(event.input, features);
  const members: Omit<ArchiveRecord, "features"> = {
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
    ...(role === undefined ? {} : { model_role: role }),
    ...(fallback.length === 0 ? {} : { model_fallback: fallbackText(fallback) }),
    ...(challengers.length === 0 ? {} : { challengers }),
    flags: decision.flags,
    reasons: decision.reasons,
    ...flagColumns(profile, decision),
    ...columns,
    input: tokeniser.protect(event.stored),
    input_hash: event.inputHash,
  };
  return storableText(withJsonMember(members, "features", featureText));
}

/** `churn-endpoint: timeout; churn-trees-2: artifact`. */
export const fallbackText = (fallback: readonly ModelFallback[]): string =>
  fallback.map(({ model, reason }) => `${model}: ${reason}`).join("; ");
