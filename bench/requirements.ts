/** Checks whether a benchmark meets its requirements. */
import type { Bench, BenchResult, Requirement } from "./types";

/** As written to bench/results.json. */
export interface CheckedRequirement {
  /** `≥ 14× xgboost-c`. */
  readonly required: string;
  readonly measured: string;
  /** Null if the peer was not measured. */
  readonly met: boolean | null;
}

/** Compares a result with one of its benchmark's requirements. */
export function check(
  requirement: Requirement,
  { unit, better }: Pick<Bench, "unit" | "better">,
  result: BenchResult,
): CheckedRequirement {
  if ("atMost" in requirement) {
    const { atMost } = requirement;
    return { required: `≤ ${atMost} ${unit}`, measured: `${result.ours.toPrecision(3)} ${unit}`, met: result.ours <= atMost };
  }
  if ("atLeast" in requirement) {
    const { atLeast } = requirement;
    return { required: `≥ ${atLeast} ${unit}`, measured: `${result.ours.toPrecision(3)} ${unit}`, met: result.ours >= atLeast };
  }
  const { peer, times } = requirement;
  const theirs = result.peers[peer];
  const required = times < 1 ? `≤ ${number(1 / times)}× ${peer}` : `≥ ${number(times)}× faster than ${peer}`;
  if (theirs === undefined) return { required, measured: "–", met: null };
  const advantage = better === "higher" ? result.ours / theirs : theirs / result.ours;
  const shown = times < 1 ? 1 / advantage : advantage;
  return { required, measured: `${shown.toFixed(shown < 10 ? 2 : 1)}×`, met: advantage >= times };
}

export function verdict({ met }: CheckedRequirement): string {
  return met === null ? "not measured" : met ? "met" : "missed";
}

const number = (value: number): string => String(+value.toFixed(2));
