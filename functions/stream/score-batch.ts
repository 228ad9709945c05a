import { featureWriter } from "../core/features";
import type { CompiledPolicy } from "../core/policy";
import type { ChallengerScore, Decision } from "../core/types";
import { answerRows, decideAnswer } from "../models/answer";
import type { ModelSet } from "../models/model-set";
import { NO_SHADOW, type ShadowScores, shadowRows } from "../models/shadow";
import { archiveLine } from "../shared/archive-line";
import { describeError } from "../shared/log";
import type { ModelReport } from "../shared/model-report";
import { type AdmitArgs, type Candidate, type Rejected, rejectCandidate } from "./admit";
import type { StoredResult, StoredState } from "./ports";
import { ofRecord } from "./record-fault";
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
  /** Remote challengers under way; lines made before it has settled lack what they say. Null when there are none; never rejects. */
  readonly challengers: Promise<void> | null;
}

/** States by user, each with the index of the first record that it counts anew. */
export type FoldedStates = ReadonlyMap<string, StoredState & { readonly firstIndex: number }>;

export interface ScoreBatchArgs extends AdmitArgs {
  readonly policy: CompiledPolicy;
  /** Null: the policy's own model. */
  readonly models: ModelSet | null;
  readonly report: ModelReport;
  /** ISO 8601, one for the batch. */
  readonly scoredAt: string;
  /** Archive object that fresh results are recorded for. */
  readonly archiveKey: string;
}

/** A candidate whose turn has come: with the decision of an earlier delivery, or with a row to be scored. */
type Planned =
  | { readonly candidate: Candidate; readonly earlier: StoredResult }
  | { readonly candidate: Candidate; readonly row: number };

interface Plan {
  readonly planned: readonly Planned[];
  /** Feature vectors of the rows to score, one after the other. */
  readonly values: Float64Array;
  readonly count: number;
  readonly keys: readonly string[];
  readonly rejected: Rejected[];
  readonly duplicates: readonly number[];
  readonly states: FoldedStates;
}

/**
 * Decides on every candidate in order. Stored decisions win over new ones, so a redelivery changes nothing; states fold only
 * records beyond their last sequence number, so it counts nothing twice either. Features come from states and never from decisions,
 * so all fresh records are scored in one call of their model.
 */
export async function scoreBatch(
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, StoredResult>,
  states: ReadonlyMap<string, StoredState>,
  args: ScoreBatchArgs,
): Promise<ScoredBatch> {
  const { policy, models, report, profile } = args;
  const plan = ofRecord(() => planBatch(candidates, stored, states, args));
  const { size } = profile.features;
  const { values, count, rejected } = plan;
  const rows = { values: values.subarray(0, count * size), count, keyOf: (row: number) => plan.keys[row]! };
  const answers = await answerRows(models, policy, rows, report.failed);

  const writer = featureWriter(profile.features);
  const entries: Entry[] = [];
  const decisions = new Array<Decision | undefined>(count);
  const unfit = rejected.length;
  let shadow = NO_SHADOW;
  for (const item of plan.planned) {
    if (!("row" in item)) continue;
    const vector = values.subarray(item.row * size, (item.row + 1) * size);
    try {
      decisions[item.row] = decideAnswer(policy, vector, answers.scores[item.row]!, answers.group(item.row), policy.isAlert);
    } catch (error) {
      rejected.push(rejectCandidate(item.candidate, "scoring_error", describeError(error).message, args));
    }
  }
  if (models !== null && count > 0 && rejected.length === unfit) {
    shadow = shadowRows({
      set: models,
      policy,
      rows,
      answers,
      decisionOf: (row) => decisions[row]!,
      withRemote: true,
      onFailure: report.failed,
      onComparison: report.compared,
    });
  }
  for (const item of plan.planned) {
    if (!("row" in item)) {
      entries.push(storedEntry(item.candidate, item.earlier, args));
      continue;
    }
    const decision = decisions[item.row];
    if (decision === undefined) continue;
    const vector = values.subarray(item.row * size, (item.row + 1) * size);
    const entry = freshEntry(item.candidate, decision, vector, shadow, item.row, args, writer);
    try {
      // A line that cannot be made is found out before its result is stored: afterwards there is no way back.
      entry.line();
      entries.push(entry);
    } catch (error) {
      rejected.push(rejectCandidate(item.candidate, "scoring_error", describeError(error).message, args));
    }
  }
  return {
    entries,
    rejected,
    duplicates: plan.duplicates,
    states: rejected.length === unfit ? plan.states : foldStates(entries, states, profile),
    challengers: shadow.settled,
  };
}

/** The synchronous half: who is new, from which features, and what the states are afterwards. */
function planBatch(
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, StoredResult>,
  states: ReadonlyMap<string, StoredState>,
  args: ScoreBatchArgs,
): Plan {
  const { profile } = args;
  const { size } = profile.features;
  const planned: Planned[] = [];
  const rejected: Rejected[] = [];
  const duplicates: number[] = [];
  const keys: string[] = [];
  const values = new Float64Array(candidates.length * size);
  const seen = new Map<string, string>();
  const folded = new Map<string, StoredState & { readonly firstIndex: number }>();

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
        planned.push({ candidate, earlier });
      } else {
        const row = keys.length;
        profile.extract(input, state?.state ?? null, values.subarray(row * size, (row + 1) * size));
        keys.push(userToken ?? eventId);
        planned.push({ candidate, row });
      }
      seen.set(eventId, inputHash);
      if (folds) {
        folded.set(userToken, { state: after, lastSequence: record.sequence, firstIndex: mine?.firstIndex ?? candidate.index });
      }
    } catch (error) {
      rejected.push(rejectCandidate(candidate, "scoring_error", describeError(error).message, args));
    }
  }
  return { planned, values, count: keys.length, keys, rejected, duplicates, states: folded };
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
    const state = ofRecord(() => profile.fold(before?.state ?? null, input));
    folded.set(userToken, { state, lastSequence: record.sequence, firstIndex: mine?.firstIndex ?? index });
  }
  return folded;
}

type Writer = ReturnType<typeof featureWriter>;

function freshEntry(
  candidate: Candidate,
  decision: Decision,
  features: Float64Array,
  shadow: ShadowScores,
  row: number,
  args: ScoreBatchArgs,
  writer: Writer,
): Entry {
  // A copy: what remote challengers add later is in the archive, not in the table.
  const challengers = [...shadow.of(row)];
  const result = {
    eventId: candidate.eventId,
    sourcePosition: candidate.record.position,
    inputHash: candidate.inputHash,
    archiveKey: args.archiveKey,
    scoredAt: args.scoredAt,
    occurredAt: candidate.occurredAt,
    userToken: candidate.userToken,
    decision,
    features,
    ...(challengers.length === 0 ? {} : { challengers }),
  };
  let made: string | undefined;
  const line = (): string => {
    if (made !== undefined) return made;
    const text = lineOf(candidate, result, shadow.of(row), args, writer);
    // While remote challengers are under way a later line may hold more.
    if (shadow.settled === null) made = text;
    return text;
  };
  return { candidate, result, fresh: true, line };
}

/** The entry of a stored decision; its line is the one of the first delivery. */
export function storedEntry(candidate: Candidate, stored: StoredResult, args: AdmitArgs): Entry {
  const { size } = args.profile.features;
  // A profile's slots are only ever appended to: a vector of an earlier version is a shorter one.
  const features = new Float64Array(size).fill(Number.NaN);
  features.set(stored.features.subarray(0, size));
  const result = { ...stored, features };
  const line = () => lineOf(candidate, result, result.challengers ?? [], args, featureWriter(args.profile.features));
  return { candidate, result, fresh: false, line };
}

function lineOf(
  candidate: Candidate,
  result: StoredResult,
  challengers: readonly ChallengerScore[],
  args: AdmitArgs,
  writer: Writer,
): string {
  const { features } = result;
  return archiveLine(
    {
      profile: args.profile,
      input: candidate.input,
      stored: candidate.stored,
      inputHash: candidate.inputHash,
      features,
      decision: result.decision,
      challengers,
      eventId: candidate.eventId,
      userToken: candidate.userToken,
      source: "kinesis",
      sourcePosition: candidate.record.position,
      occurredAt: candidate.occurredAt,
      scoredAt: result.scoredAt,
    },
    writer(features),
    args.tokeniser,
  );
}
