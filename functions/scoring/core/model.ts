/** Share of one feature (or of the model's base) in a model's score; a model's shares add up to its score. */
export interface ModelContribution {
  /** Stable code for `reasons[]`: the name of a feature, or `base`. */
  readonly code: string;
  readonly text: string;
  readonly contribution: number;
}

/**
 * A model scores a feature vector: points for an additive profile, a probability for a noisy-or one. It is pure, so the same vector
 * gives the same score wherever it is scored. A remote model (an endpoint) only implements {@link BatchModel}, and its score reaches
 * `decide` as a number.
 */
export interface Model extends BatchModel {
  /** Score of one vector, finite, within the profile's scale. NaN slots mean "not known". */
  score(features: Float64Array): number;
  /** Where the score comes from, in any order. Empty when the score is 0 whatever the input. */
  explain(features: Float64Array): readonly ModelContribution[];
}

/** Scores many vectors at once; the vectors lie one after the other in `rows`. */
export interface BatchModel {
  /** Shown as `modelVersion`: name and version of the coefficients. */
  readonly version: string;
  /** Writes `count` scores into `out`. Synchronous models return nothing, remote ones a promise that rejects on failure. */
  scoreBatch(rows: Float64Array, count: number, out: Float64Array): void | Promise<void>;
}
