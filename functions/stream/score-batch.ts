import { featureWriter } from "../scoring/core/features";
import type { CompiledPolicy } from "../scoring/core/policy";
import type { ChallengerScore, Decision } from "../scoring/core/types";
import { type Answers, answerRows, decideAnswer } from "../scoring/models/answer";
import type { ModelSet } from "../scoring/models/model-set";
import { NO_SHADOW, type ShadowScores, shadowRows } from "../scoring/models/shadow";
import { archiveLine } from "../shared/archive-line";
import type { ModelReport } from "../shared/model-report";
import { type AdmitArgs, type Candidate, type Rejected, scoringError } from "./admit";
import { type Countable, type FoldedStates, foldStates } from "./fold-states";
import { type Duplicate, type Plan, planBatch } from "./plan-batch";
import type { StoredResult, StoredState } from "./ports";
import { ofRecord } from "./record-fault";

/** An event of this batch with its decision, made now or by an earlier delivery. */
export interface Entry {
  readonly candidate: Candidate;
  readonly result: StoredResult;
  /** Made by this delivery: not in the results table yet. */
  readonly fresh: boolean;
  /** Its archive line, as JSON text. */
  readonly line: () => string;
}

export interface ScoredBatch {
  /** In the order of their records. */
  readonly entries: readonly Entry[];
  readonly rejected: readonly Rejected[];
  /** Records that repeat an event which is already scored. */
  readonly duplicates: readonly Duplicate[];
  /** States after all entries; {@link foldStates} gives those after some of them. */
  readonly states: FoldedStates;
  /** Remote challengers still running; lines made before this settles lack their scores. Null when there are none; never rejects. */
  readonly challengers: Promise<void> | null;
}

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

/**
 * Decides on every candidate in order. Stored decisions win over new ones, so a redelivery changes nothing; states only fold events that
 * they don't count yet. Features come from states, never from decisions, so all fresh records
 * are scored in one call of their model.
 */
export async function scoreBatch(
  candidates: readonly Candidate[],
  stored: ReadonlyMap<string, StoredResult>,
  states: ReadonlyMap<string, StoredState>,
  args: ScoreBatchArgs,
): Promise<ScoredBatch> {
  const { policy, models, report, profile } = args;
  const plan = ofRecord(() => planBatch(candidates, stored, states, args));
  const { rows } = plan;
  const answers = await answerRows(models, policy, rows, report.failed);
  const { decisions, undecided } = decideRows(plan, answers, args);
  const shadow =
    models === null || rows.count === 0 || undecided.length > 0
      ? NO_SHADOW
      : shadowRows({
          set: models,
          policy,
          rows,
          answers,
          decisionOf: (row) => decisions[row]!,
          withRemote: true,
          onFailure: report.failed,
          onComparison: report.compared,
        });
  const { entries, unwritable } = entriesOf(plan, decisions, shadow, args);
  const unfit = [...undecided, ...unwritable];
  return {
    entries,
    rejected: [...plan.rejected, ...unfit],
    duplicates: plan.duplicates,
    states: unfit.length === 0 ? plan.states : foldStates(entries.map(countable), states, profile),
    challengers: shadow.settled,
  };
}

/** The entry as an event that its user's state has to count. */
export const countable = ({ candidate, result, fresh }: Entry): Countable => ({
  candidate,
  scoredBefore: fresh ? null : result.scoredAt,
});

/** Decisions by row; a row at which the code fails has none. */
function decideRows({ planned, rows }: Plan, answers: Answers, args: ScoreBatchArgs) {
  const { policy } = args;
  const decisions = new Array<Decision | undefined>(rows.count);
  const undecided: Rejected[] = [];
  for (const item of planned) {
    if (!("row" in item)) continue;
    const { row, candidate, vector } = item;
    try {
      decisions[row] = decideAnswer(policy, vector, answers.scores[row]!, answers.group(row), policy.isAlert);
    } catch (error) {
      undecided.push(scoringError(candidate, error));
    }
  }
  return { decisions, undecided };
}

/** Makes each line before its result is stored, so that one that can't be made is found in time: afterwards there is no way back. */
function entriesOf({ planned }: Plan, decisions: readonly (Decision | undefined)[], shadow: ShadowScores, args: ScoreBatchArgs) {
  const writer = featureWriter(args.profile.features);
  const entries: Entry[] = [];
  const unwritable: Rejected[] = [];
  for (const item of planned) {
    const { candidate } = item;
    if ("earlier" in item) {
      entries.push(storedEntry(candidate, item.earlier, args));
      continue;
    }
    const { row, vector } = item;
    const decision = decisions[row];
    if (decision === undefined) continue;
    const entry = freshEntry(candidate, decision, vector, shadow, row, args, writer);
    try {
      entry.line();
      entries.push(entry);
    } catch (error) {
      unwritable.push(scoringError(candidate, error));
    }
  }
  return { entries, unwritable };
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
  // A copy: scores that remote challengers add later go to the archive, not to the table.
  const challengers = [...shadow.of(row)];
  const text = writer(features);
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
    featureList: text.list,
    ...(challengers.length === 0 ? {} : { challengers }),
  };
  let made: string | undefined;
  const line = (): string => {
    if (made !== undefined) return made;
    const now = lineOf(candidate, result, shadow.of(row), args, text.json);
    // While remote challengers are running, a line made later may hold more.
    if (shadow.settled === null) made = now;
    return now;
  };
  return { candidate, result, fresh: true, line };
}

/** The entry of a stored decision; its line equals that of the first delivery. */
export function storedEntry(candidate: Candidate, stored: StoredResult, args: AdmitArgs): Entry {
  const { size } = args.profile.features;
  // A profile's slots are only ever appended to, so the vector of an earlier version is a shorter one.
  const features = new Float64Array(size).fill(Number.NaN);
  features.set(stored.features.subarray(0, size));
  const result = { ...stored, features };
  const line = () =>
    lineOf(candidate, result, result.challengers ?? [], args, featureWriter(args.profile.features)(features).json);
  return { candidate, result, fresh: false, line };
}

function lineOf(
  candidate: Candidate,
  result: StoredResult,
  challengers: readonly ChallengerScore[],
  { profile, tokeniser }: AdmitArgs,
  featureJson: string,
): string {
  return archiveLine(profile, candidate, result, challengers, featureJson, tokeniser);
}
