/** The ranges of a policy's numbers, for the schema, the document's checks and stack config alike. */
import type { Scale } from "../core/profile";

export type Range = readonly [minimum: number, maximum: number];

export const THRESHOLDS: Range = [-1e12, 1e12];
/** Points of an additive policy; a rule may subtract some. */
export const POINTS: Range = [-100, 100];
/** Weights of a noisy-or policy. Keeps 1 − weight away from 0: no single rule makes a score certain. */
export const PROBABILITIES: Range = [0, 0.999];

export function rangesOf({ max, combine }: Scale): Readonly<Record<"thresholds" | "weights" | "bands", Range>> {
  return { thresholds: THRESHOLDS, weights: combine === "noisy-or" ? PROBABILITIES : POINTS, bands: [0, max] };
}
