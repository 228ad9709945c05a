import { type FeatureSet, featureText } from "../core/features";
import type { Model, ModelContribution } from "../core/model";

/** A fitted logistic regression over standardised features. */
export interface LogisticSpec {
  readonly version: string;
  /** Log-odds of an average record. */
  readonly intercept: number;
  readonly terms: readonly LogisticTerm[];
  /** How groups of terms are worded: code of the reason → feature and label that describe it. */
  readonly groups: Readonly<Record<string, { readonly label: string; readonly feature: string }>>;
}

export interface LogisticTerm {
  readonly feature: string;
  /** Mean and standard deviation of the training data. */
  readonly mean: number;
  readonly sd: number;
  /** Log-odds per standard deviation. */
  readonly weight: number;
  /** The terms of one group (age and its square) form one reason. */
  readonly group: string;
}

/** Closer to the average than this many log-odds, the tangent's slope is used: the quotient would lose its digits. */
const TANGENT = 1e-6;

/**
 * `sigmoid(intercept + Σ weight·(x − mean)/sd)`. An unknown feature counts as average.
 * An explanation starts from the average record's probability (`base`) and divides the difference among the groups in proportion to
 * their log-odds; the factor is the sigmoid's mean slope between the two points, so it never exceeds ¼, and the shares add up to the
 * score.
 */
export function logisticModel(spec: LogisticSpec, features: FeatureSet): Model {
  const { version, intercept, terms } = spec;
  const groups = Object.keys(spec.groups);
  const slot = Uint16Array.from(terms, (term) => features.slot(term.feature));
  const mean = Float64Array.from(terms, (term) => term.mean);
  const scale = Float64Array.from(terms, (term) => term.weight / term.sd);
  const group = Uint16Array.from(terms, (term) => groups.indexOf(term.group));
  const wording = groups.map((name) => {
    const { label, feature } = spec.groups[name]!;
    const described = features.slot(feature);
    return { label, described, categories: features.definitions[described]?.categories };
  });
  const base = sigmoid(intercept);

  const logOdds = (row: Float64Array, offset: number): number => {
    let sum = intercept;
    for (let term = 0; term < slot.length; term++) {
      const difference = (row[offset + slot[term]!]! - mean[term]!) * scale[term]!;
      // An unknown feature adds nothing.
      if (!Number.isNaN(difference)) sum += difference;
    }
    return sum;
  };

  return {
    version,
    score: (row) => sigmoid(logOdds(row, 0)),
    explain(row) {
      const sums = new Float64Array(groups.length);
      let moved = 0;
      for (let term = 0; term < slot.length; term++) {
        const difference = (row[slot[term]!]! - mean[term]!) * scale[term]!;
        if (Number.isNaN(difference)) continue;
        sums[group[term]!]! += difference;
        moved += difference;
      }
      const slope = Math.abs(moved) < TANGENT ? base * (1 - base) : (sigmoid(intercept + moved) - base) / moved;
      const shares: ModelContribution[] = [{ code: "base", text: "Average of all customers", contribution: base }];
      for (let index = 0; index < groups.length; index++) {
        const { label, described, categories } = wording[index]!;
        const text = `${label} ${featureText(row[described]!, categories)}`;
        shares.push({ code: groups[index]!, text, contribution: sums[index]! * slope });
      }
      return shares;
    },
    scoreBatch(rows, count, out) {
      for (let row = 0; row < count; row++) out[row] = sigmoid(logOdds(rows, row * features.size));
    },
  };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
