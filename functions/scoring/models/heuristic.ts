import { type FeatureSet, featureText } from "../core/features";
import type { Model, ModelContribution } from "../core/model";

/** Points per unit of some features, clamped to the scale: a business formula, not fitted to data. */
export interface HeuristicSpec {
  readonly version: string;
  /** Upper end of the profile's scale. */
  readonly max: number;
  readonly terms: readonly HeuristicTerm[];
}

export interface HeuristicTerm {
  readonly feature: string;
  /** The feature is divided before it is multiplied, so that results match the formula's own order of operations. */
  readonly per: number;
  readonly points: number;
  /** For people: `Company size {value}`. */
  readonly label: string;
}

/** `Σ feature / per × points`, clamped to 0…max. Unknown features count as 0. */
export function heuristicModel(spec: HeuristicSpec, features: FeatureSet): Model {
  const { version, max } = spec;
  const terms = spec.terms.map((term) => ({ ...term, slot: features.slot(term.feature) }));
  const pointsOf = (row: Float64Array, offset: number, index: number): number => {
    const { slot, per, points } = terms[index]!;
    const value = row[offset + slot]!;
    return Number.isFinite(value) ? (value / per) * points : 0;
  };
  const total = (row: Float64Array, offset: number): number => {
    let sum = 0;
    for (let index = 0; index < terms.length; index++) sum += pointsOf(row, offset, index);
    return sum;
  };
  const clamp = (points: number): number => Math.min(Math.max(points, 0), max);

  return {
    version,
    score: (row) => clamp(total(row, 0)),
    explain(row) {
      const sum = total(row, 0);
      if (sum <= 0) return [];
      const scale = sum > max ? max / sum : 1;
      return terms.map(
        ({ feature, label, slot }, index): ModelContribution => ({
          code: feature,
          text: `${label} ${featureText(row[slot]!)}`,
          contribution: pointsOf(row, 0, index) * scale,
        }),
      );
    },
    scoreBatch(rows, count, out) {
      for (let row = 0; row < count; row++) out[row] = clamp(total(rows, row * features.size));
    },
  };
}
