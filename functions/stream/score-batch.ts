import { featureWriter } from "../core/features";
import { score } from "../core/score";
import type { CompiledPolicy } from "../policy/compile";
import { archiveLine } from "../shared/archive-line";
import { describeError } from "../shared/log";
import { type AdmitArgs, type Candidate, type Rejected, rejectCandidate } from "./admit";
import type { StoredResult, StoredState } from "./ports";
import { isAfter } from "./sequence";

/** An event of this batch with its decision, made now or by an earlier delivery. */
export interface Entry {
  readonly candidate: Candidate;
  readonly result: StoredResult;
  /** Made by this delivery: not in the results table yet. */
  readonly fresh: boolean;
  /** Its line of the archive, JSON text. */
  readonly line: () => string;
}

export interface ScoredBatch {
  /** In sequence order. */
  readonly entries: readonly Entry[];
  readonly rejected: readonly Rejected[];
  /** Indexes of records that repeat an event which is scored already. */
  readonly duplicates: readonly number[];
  /** States after all entries; {@link foldStates} gives those after some of them. */
  readonly states: FoldedStates;
}

/** States by user, each with the index of the first record that it counts anew. */
export type FoldedStates = ReadonlyMap<string, StoredState & { readonly firstIndex: number }>;

export interface ScoreBatchArgs extends AdmitArgs {
  readonly policy: CompiledPolicy;
  /** ISO 8601, one for the batch. */
  readonly scoredAt: string;
  /** Archive object that fresh results are recorded for. */
  readonly archiveKey: string;
}

/**
 * Decides on every candidate in order. Stored decisions win over new ones, so a redelivery changes nothing; states fold only
 * records beyond their last sequence number, so it counts nothing twice either. Pure apart from the tokens it remembers.
 */
export function scoreBatch(
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, StoredResult>,
  states: ReadonlyMap<string, StoredState>,
  args: ScoreBatchArgs,
): ScoredBatch {
  const { profile, policy } = args;
  const entries: Entry[] = [];
  const rejected: Rejected[] = [];
  const duplicates: number[] = [];
  const seen = new Map<string, string>();
  const folded = new Map<string, StoredState & { readonly firstIndex: number }>();
  const features = new Float64Array(profile.features.size);
  const featureText = featureWriter(profile.features);

  for (const candidate of candidates) {
    const { eventId, inputHash, record, userToken, input } = candidate;
    const earlier = stored.get(eventId);
    const redelivered = earlier?.sourcePosition === record.position;
    const knownHash = redelivered ? undefined : (seen.get(eventId) ?? earlier?.inputHash);
    if (knownHash === inputHash) {
      duplicates.push(candidate.index);
      continue;
    }
    if (knownHash !== undefined) {
      rejected.push(conflict(candidate, args));
      continue;
    }
    try {
      const mine = userToken === null ? undefined : folded.get(userToken);
      const state = mine ?? (userToken === null ? undefined : states.get(userToken));
      const folds =
        userToken !== null && profile.stateful && (state === undefined || isAfter(record.sequence, state.lastSequence));
      const after = folds ? profile.fold(state?.state ?? null, input) : undefined;
      if (earlier !== undefined) {
        entries.push(storedEntry(candidate, earlier, args));
      } else {
        const { decision } = score(profile, policy, input, state?.state ?? null, features);
        entries.push(freshEntry(candidate, decision, features, featureText(features), args));
      }
      seen.set(eventId, inputHash);
      if (folds) {
        folded.set(userToken, { state: after, lastSequence: record.sequence, firstIndex: mine?.firstIndex ?? candidate.index });
      }
    } catch (error) {
      rejected.push(rejectCandidate(candidate, "scoring_error", describeError(error).message, args));
    }
  }
  return { entries, rejected, duplicates, states: folded };
}

export const conflict = (candidate: Candidate, args: AdmitArgs): Rejected =>
  rejectCandidate(candidate, "duplicate_conflict", "An event of this id with another content has been scored before.", args);

/** States after `entries`, which are what is left of a batch after some were dropped. */
export function foldStates(
  entries: readonly Entry[],
  states: ReadonlyMap<string, StoredState>,
  profile: AdmitArgs["profile"],
): FoldedStates {
  const folded = new Map<string, StoredState & { readonly firstIndex: number }>();
  if (!profile.stateful) return folded;
  for (const { candidate } of entries) {
    const { userToken, record, input, index } = candidate;
    if (userToken === null) continue;
    const mine = folded.get(userToken);
    const before = mine ?? states.get(userToken);
    if (before !== undefined && !isAfter(record.sequence, before.lastSequence)) continue;
    const state = profile.fold(before?.state ?? null, input);
    folded.set(userToken, { state, lastSequence: record.sequence, firstIndex: mine?.firstIndex ?? index });
  }
  return folded;
}

function freshEntry(
  candidate: Candidate,
  decision: StoredResult["decision"],
  features: Float64Array,
  featureText: string,
  args: ScoreBatchArgs,
): Entry {
  const result = {
    eventId: candidate.eventId,
    sourcePosition: candidate.record.position,
    inputHash: candidate.inputHash,
    archiveKey: args.archiveKey,
    scoredAt: args.scoredAt,
    occurredAt: candidate.occurredAt,
    userToken: candidate.userToken,
    decision,
    features: featureText,
  };
  const line = lineOf(candidate, result, features, args);
  return { candidate, result, fresh: true, line: () => line };
}

/** The entry of a stored decision. Its vector is read back by name, so the line is the one of the first delivery. */
export function storedEntry(candidate: Candidate, result: StoredResult, args: AdmitArgs): Entry {
  const line = () => {
    // Written by `featureWriter` and by nobody else.
    const named = JSON.parse(result.features) as Readonly<Record<string, number | null>>;
    const features = Float64Array.from(args.profile.features.definitions, ({ name }) => named[name] ?? Number.NaN);
    return lineOf(candidate, result, features, args);
  };
  return { candidate, result, fresh: false, line };
}

function lineOf(candidate: Candidate, result: StoredResult, features: Float64Array, args: AdmitArgs): string {
  return archiveLine(
    {
      profile: args.profile,
      input: candidate.input,
      stored: candidate.stored,
      inputHash: candidate.inputHash,
      features,
      decision: result.decision,
      eventId: candidate.eventId,
      userToken: candidate.userToken,
      source: "kinesis",
      sourcePosition: candidate.record.position,
      occurredAt: candidate.occurredAt,
      scoredAt: result.scoredAt,
    },
    result.features,
    args.tokeniser,
  );
}
