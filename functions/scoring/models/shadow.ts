/** Models that score beside the one that answers. Neither their scores nor their failures change a decision. */
import { decideScore } from "../core/decide";
import type { CompiledPolicy } from "../core/policy";
import type { ChallengerScore } from "../core/types";
import { type Answers, type OnModelFailure, pack, type Rows } from "./answer";
import type { Member, ModelSet } from "./model-set";

/** How one model compares with the answers over some rows. */
export interface Comparison {
  readonly model: string;
  readonly scored: number;
  /** Rows for which it gives the same band as the answer. */
  readonly agreed: number;
  /** Sum of |score − answer's score|, in the profile's scale. */
  readonly difference: number;
}

export interface ShadowArgs {
  readonly set: ModelSet;
  readonly policy: CompiledPolicy;
  readonly rows: Rows;
  readonly answers: Answers;
  /** Score and band that each row was answered with. */
  readonly decisionOf: (row: number) => { readonly score: number; readonly band: string };
  /** False leaves remote models out, for calls where somebody waits for the answer. */
  readonly withRemote: boolean;
  readonly onFailure: OnModelFailure;
  readonly onComparison: (comparison: Comparison) => void;
}

export interface ShadowScores {
  /** What is known about a row so far: in-process models at once, remote ones once {@link settled}. */
  of(row: number): readonly ChallengerScore[];
  /** Null when nothing is under way. Never rejects. */
  readonly settled: Promise<void> | null;
}

const NONE: readonly ChallengerScore[] = [];
export const NO_SHADOW: ShadowScores = { of: () => NONE, settled: null };

/**
 * Scores every row with each challenger that did not answer it, and with the champion where a challenger answered. In-process models run
 * at once; remote ones run in the background, within their own timeouts.
 */
export function shadowRows(args: ShadowArgs): ShadowScores {
  const { set, rows, withRemote } = args;
  const champion = set.chain[0];
  const members = set.challengers.map(({ member }) => member);
  if (champion !== undefined) members.push(champion);
  const scores: (ChallengerScore[] | undefined)[] = new Array(rows.count);
  const pending: Promise<void>[] = [];
  for (const member of members) {
    if (member.local === null && !withRemote) continue;
    const compared = comparedRows(member, member === champion, args);
    if (compared.length === 0) continue;
    const running = run(member, compared, scores, args);
    if (running !== undefined) pending.push(running);
  }
  // Remote models finish in any order; an archive line lists them in the document's order.
  const place = new Map(members.map(({ name }, index) => [name, index]));
  const order = (): void => {
    for (const row of scores) row?.sort((a, b) => place.get(a.model)! - place.get(b.model)!);
  };
  return {
    of: (row) => scores[row] ?? NONE,
    settled: pending.length === 0 ? null : Promise.all(pending).then(order),
  };
}

function comparedRows(member: Member, isChampion: boolean, { rows, answers }: ShadowArgs): number[] {
  const compared: number[] = [];
  for (let row = 0; row < rows.count; row++) {
    const group = answers.group(row);
    if (isChampion ? group.source?.role === "challenger" : group.member !== member) compared.push(row);
  }
  return compared;
}

function run(
  member: Member,
  compared: readonly number[],
  scores: (ChallengerScore[] | undefined)[],
  args: ShadowArgs,
): Promise<void> | undefined {
  const { policy, rows, decisionOf } = args;
  const { size } = policy.profile.features;
  const out = new Float64Array(compared.length);
  const finish = (): void => {
    let agreed = 0;
    let difference = 0;
    for (const [position, row] of compared.entries()) {
      const score = decideScore(policy, rows.values.subarray(row * size, (row + 1) * size), out[position]!);
      const band = policy.bandOf(score);
      const answer = decisionOf(row);
      if (band === answer.band) agreed++;
      difference += Math.abs(score - answer.score);
      const entry = { model: member.name, score, band };
      const present = scores[row];
      if (present === undefined) scores[row] = [entry];
      else present.push(entry);
    }
    args.onComparison({ model: member.name, scored: compared.length, agreed, difference });
  };
  try {
    const running = member.model.scoreBatch(pack(rows.values, size, compared), compared.length, out);
    if (running !== undefined) return running.then(finish).catch((error: unknown) => args.onFailure(member.name, error));
    finish();
  } catch (error) {
    args.onFailure(member.name, error);
  }
  return undefined;
}
