import type { ArchiveRecord } from "../core/archive-record";
import { type AnyProfile, flagColumns } from "../core/profile";
import type { ChallengerScore, Decision, ModelFallback } from "../core/types";
import { storableText } from "./storable";
import type { Tokeniser } from "./tokeniser";

/** Everything that one archive line is made of, apart from its features by name. */
export interface ArchiveLineParts {
  readonly profile: AnyProfile;
  readonly input: unknown;
  /** `profile.stored(input)`. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly inputHash: string;
  /** The vector that the decision was made from. */
  readonly features: Float64Array;
  readonly decision: Decision;
  /** Empty without models in shadow. */
  readonly challengers: readonly ChallengerScore[];
  readonly eventId: string;
  readonly userToken: string | null;
  readonly source: "kinesis" | "rest";
  readonly sourcePosition: string;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly scoredAt: string;
}

/**
 * The archive line of a scored event; personal fields are replaced here, at the last step before anything is stored.
 * `featureText` is the JSON text of the features by name (`featureWriter`): the results table holds the same text.
 */
export function archiveLine(parts: ArchiveLineParts, featureText: string, tokeniser: Tokeniser): string {
  const { profile, decision, input, features, challengers } = parts;
  const { role, fallback = [] } = decision.modelSource ?? {};
  const columns = profile.columns(input, features);
  const members: Omit<ArchiveRecord, "features"> = {
    event_id: parts.eventId,
    profile: profile.id,
    source: parts.source,
    source_position: parts.sourcePosition,
    user_id: parts.userToken,
    occurred_at: parts.occurredAt,
    scored_at: parts.scoredAt,
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
    amount: columns.amount,
    currency: columns.currency,
    category: columns.category,
    country: columns.country,
    latitude: columns.latitude,
    longitude: columns.longitude,
    distance_km: columns.distance_km,
    speed_kmh: columns.speed_kmh,
    input: tokeniser.protect(parts.stored),
    input_hash: parts.inputHash,
  };
  return storableText(`${JSON.stringify(members).slice(0, -1)},"features":${featureText}}`);
}

/** `churn-endpoint: timeout; churn-trees-2: artifact`. */
export const fallbackText = (fallback: readonly ModelFallback[]): string =>
  fallback.map(({ model, reason }) => `${model}: ${reason}`).join("; ");
