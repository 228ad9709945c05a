/** Which model answers: the challenger if it has this share of traffic, else the champion, else the first of the chain that can. */
import { decide } from "../core/decide";
import type { ModelContribution } from "../core/model";
import type { CompiledPolicy } from "../core/policy";
import type { Decision, ModelFallback, ModelSource } from "../core/types";
import { localMember, type Member, type ModelSet, reasonOf } from "./model-set";
import { hasRollout, rolledOutTo, rolloutPosition } from "./rollout";

export interface Rows {
  /** Feature vectors one after the other, each of the profile's size. */
  readonly values: Float64Array;
  readonly count: number;
  /** What decides about a row's share of traffic: token of the user, else id of the event. */
  readonly keyOf: (row: number) => string;
}

/** Called for every model that could not score. */
export type OnModelFailure = (model: string, error: unknown) => void;

/** Rows that start at the same model, and the model that answered them. */
export interface GroupAnswer {
  readonly member: Member;
  /** Undefined when the champion answered at once. */
  readonly source: ModelSource | undefined;
}

export interface Answers {
  readonly scores: Float64Array;
  readonly group: (row: number) => GroupAnswer;
}

/** The model that answers a key if every model works: a cached score is compared with it. */
export function expectedModel(set: ModelSet | null, policy: CompiledPolicy, keyOf: () => string): string {
  if (set === null) return policy.model.version;
  const challenger = hasRollout(set.challengers) ? rolledOutTo(set.challengers, rolloutPosition(keyOf())) : null;
  return (challenger?.member ?? set.chain[0])?.name ?? policy.model.version;
}

/**
 * Scores all rows; those with the same first model go into one call. `set` null means the policy's own model, which also stands behind
 * every chain. Never rejects: when nothing can score, scores are NaN and the rules alone decide.
 */
export async function answerRows(
  set: ModelSet | null,
  policy: CompiledPolicy,
  rows: Rows,
  onFailure: OnModelFailure,
): Promise<Answers> {
  const own = localMember(policy.model);
  const chain = set === null ? [own] : [...set.chain, own];
  const scores = new Float64Array(rows.count);
  if (rows.count === 0) return { scores, group: () => ({ member: own, source: undefined }) };
  if (set === null || !hasRollout(set.challengers)) {
    const group = await answerGroup(null, chain, rows.values, rows.count, scores, onFailure);
    return { scores, group: () => group };
  }

  const groups = new Map<Member | null, number[]>();
  for (let row = 0; row < rows.count; row++) {
    const member = rolledOutTo(set.challengers, rolloutPosition(rows.keyOf(row)))?.member ?? null;
    const group = groups.get(member);
    if (group === undefined) groups.set(member, [row]);
    else group.push(row);
  }
  const groupOf = new Array<GroupAnswer>(rows.count);
  await Promise.all(
    [...groups].map(async ([challenger, members]) => {
      const packed = pack(rows.values, policy.profile.features.size, members);
      const out = new Float64Array(members.length);
      const group = await answerGroup(challenger, chain, packed, members.length, out, onFailure);
      for (const [position, row] of members.entries()) {
        scores[row] = out[position]!;
        groupOf[row] = group;
      }
    }),
  );
  return { scores, group: (row) => groupOf[row]! };
}

/** The vectors of some of the rows, one after the other. */
export function pack(values: Float64Array, size: number, rows: readonly number[]): Float64Array {
  if (rows.length * size === values.length) return values;
  const packed = new Float64Array(rows.length * size);
  for (const [position, row] of rows.entries()) packed.set(values.subarray(row * size, (row + 1) * size), position * size);
  return packed;
}

async function answerGroup(
  challenger: Member | null,
  chain: readonly Member[],
  values: Float64Array,
  count: number,
  out: Float64Array,
  onFailure: OnModelFailure,
): Promise<GroupAnswer> {
  const fallback: ModelFallback[] = [];
  const way = challenger === null ? chain : [challenger, ...chain];
  for (const member of way) {
    try {
      const pending = member.model.scoreBatch(values, count, out);
      // Local models return at once: don't spend a turn of the event loop on them.
      if (pending !== undefined) await pending;
    } catch (error) {
      fallback.push({ model: member.name, reason: reasonOf(error) });
      onFailure(member.name, error);
      continue;
    }
    const role = member === challenger ? "challenger" : member === chain[0] ? "champion" : "fallback";
    return { member, source: role === "champion" && fallback.length === 0 ? undefined : { role, fallback } };
  }
  out.fill(Number.NaN, 0, count);
  return { member: chain.at(-1)!, source: { role: "fallback", fallback } };
}

const NO_CONTRIBUTIONS: readonly ModelContribution[] = [];

/**
 * The decision of one answered row. `isShown` says for which bands the reasons are read: in other bands a model whose explanation is
 * costly remains one reason with its whole share.
 */
export function decideAnswer(
  policy: CompiledPolicy,
  vector: Float64Array,
  score: number,
  { member, source }: GroupAnswer,
  isShown: (band: string) => boolean,
): Decision {
  const { local, costlyToExplain, name } = member;
  const explain = (): readonly ModelContribution[] => (local === null || score === 0 ? NO_CONTRIBUTIONS : local.explain(vector));
  const contributions = costlyToExplain ? (band: string) => (isShown(band) ? explain() : NO_CONTRIBUTIONS) : explain();
  return decide(policy, vector, { score, version: name, contributions }, source);
}
