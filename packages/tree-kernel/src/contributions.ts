/** How much each feature moved a margin. */
import type { Forest } from "./forest";
import { forestOf } from "./forest";
import type { Image } from "./image";
import type { Kernel } from "./kernel";
import { type PathAdder, perfectPaths } from "./paths";
import { ranker } from "./ranks";
import { addTreeShap, newPath } from "./treeshap";

/**
 * `path` credits each split on the way to a leaf with the change of the mean below it (Saabas; XGBoost's `approx_contribs`):
 * fast, and what "the reason" usually means. `shap` are the Shapley values over the training distribution (TreeSHAP; XGBoost's
 * `pred_contribs`): fair to features that act together, and some hundred times slower.
 */
export type ContributionMethod = "path" | "shap";

/**
 * Shares of an output's margin: one per feature, then the base (the margin of an average training row). Added up in this order
 * they give the margin; what float32 summation rounded away is part of the base.
 */
export type Contributor = (row: ArrayLike<number>, options?: ContributionOptions) => Float64Array;

export interface ContributionOptions {
  /** Default: `path`. */
  readonly method?: ContributionMethod;
  /** Default: 0. */
  readonly output?: number;
  /** Receives the row's margins, all outputs', which are computed anyway. */
  readonly margins?: Float32Array;
}

export function contributor(image: Image, kernel: Kernel): Contributor {
  const { features, baseMargins } = image.description;
  const rank = ranker(image);
  const ownMargins = new Float32Array(baseMargins.length);
  const path = newPath(image.description.depth);
  let forest: Forest | undefined;
  let addPaths: PathAdder | undefined;
  return (row, { method = "path", output = 0, margins = ownMargins } = {}) => {
    if (row.length !== features.length)
      throw new RangeError(`A row has ${features.length} features, but ${row.length} values were given.`);
    if (!(output >= 0 && output < baseMargins.length))
      throw new RangeError(`The model has ${baseMargins.length} outputs, counted from 0; ${output} was asked for.`);
    const slots = rank(row);
    const shares = new Float64Array(features.length + 1);
    if (method === "path") {
      addPaths ??= image.description.layout === "perfect" ? perfectPaths(image) : forestPaths(forestOf(image));
      addPaths(slots, output, shares);
    } else {
      forest ??= forestOf(image);
      for (const root of forest.roots) {
        if (root.output === output) addTreeShap(forest, root.node, slots, shares, path);
      }
    }
    kernel.margins(row, margins, 0);
    return closeSum(shares, margins[output]!);
  };
}

function forestPaths({ roots, left, right, slot, key, feature, mean }: Forest): PathAdder {
  return (slots, output, shares) => {
    for (const root of roots) {
      if (root.output !== output) continue;
      let node = root.node;
      while (left[node]! >= 0) {
        const child = slots[slot[node]!]! > key[node]! ? right[node]! : left[node]!;
        shares[feature[node]!]! += mean[child]! - mean[node]!;
        node = child;
      }
    }
  };
}

/** Sets the base, the last share, so that the shares add up to the margin. */
function closeSum(shares: Float64Array, margin: number): Float64Array {
  const base = shares.length - 1;
  let sum = 0;
  for (let feature = 0; feature < base; feature++) sum += shares[feature]!;
  shares[base] = margin - sum;
  // The difference may itself have been rounded.
  shares[base]! += margin - (sum + shares[base]!);
  return shares;
}
