import { withJsonMember } from "../scoring/core/json";
import type { CompiledPolicy } from "../scoring/core/policy";
import type { BusEvent } from "../shared/event-bus";
import type { Alerts } from "./ports";
import { type Unfinished, unfinishedAll } from "./progress";
import { ofRecord } from "./record-fault";
import type { Entry } from "./score-batch";

export interface AlertArgs {
  readonly policy: CompiledPolicy;
  readonly eventDetailType: string;
}

export interface Published extends Unfinished {
  readonly count: number;
}

/** Publishes the high-risk decisions among the entries. */
export async function publishAlerts(
  entries: readonly Entry[],
  { policy, eventDetailType }: AlertArgs,
  alerts: Alerts,
): Promise<Published> {
  const risky = entries.filter(({ result }) => policy.isAlert(result.decision.band));
  if (risky.length === 0) return { count: 0, indexes: [], error: undefined };
  try {
    const refused = await alerts.publish(risky.map((entry) => alertOf(entry, eventDetailType)));
    const indexes = refused.map((position) => risky[position]!.candidate.index);
    const error = refused.length === 0 ? undefined : new Error(`The event bus refused ${refused.length} high-risk events.`);
    return { count: risky.length - refused.length, indexes, error };
  } catch (error) {
    return { count: 0, ...unfinishedAll(entries, error) };
  }
}

function alertOf({ result, line }: Entry, detailType: string): BusEvent {
  const { decision, eventId, userToken, scoredAt, occurredAt } = result;
  const detail = {
    eventId,
    transactionId: eventId,
    userId: userToken,
    score: decision.score,
    band: decision.band,
    reasons: decision.reasons,
    flags: decision.flags,
    modelVersion: decision.modelVersion,
    policyVersion: decision.policyVersion,
    timestamp: scoredAt,
    occurredAt,
  };
  return { detail: withJsonMember(detail, "record", ofRecord(line)), detailType, time: new Date(scoredAt) };
}
