/**
 * The definition of a prediction, as short as it can be: walk every tree node by node, add the leaves in float32, in order.
 * Everything faster is tested against it.
 */
import type { Ensemble, Tree } from "./ensemble";

/** Margins of one row, one per output. `row` has a value per feature of the ensemble; NaN is a missing one. */
export function oracleMargins(ensemble: Ensemble, row: ArrayLike<number>): Float32Array {
  const margins = Float32Array.from(ensemble.baseMargins);
  for (const tree of ensemble.trees) margins[tree.output]! += tree.value[leafOf(tree, row)]!;
  return margins;
}

/** The leaf that a row falls into. */
export function leafOf(tree: Tree, row: ArrayLike<number>, node = 0): number {
  if (tree.left[node]! < 0) return node;
  return leafOf(tree, row, goesLeft(tree, node, Math.fround(row[tree.feature[node]!]!)) ? tree.left[node]! : tree.right[node]!);
}

function goesLeft(tree: Tree, node: number, x: number): boolean {
  if (Number.isNaN(x)) return tree.defaultLeft[node] === 1;
  const categories = tree.categories.get(node);
  if (categories === undefined) return x < tree.value[node]!;
  return !inCategories(categories, x);
}

/** First value that is not a category: 2^24, where float32 stops counting (XGBoost's `OutOfRangeCat`). */
const OUT_OF_RANGE = 2 ** 24;

/** A category is the value's integer part; negative and out-of-range values are in no set. */
export function inCategories(categories: ArrayLike<number>, x: number): boolean {
  if (!(x >= 0 && x < OUT_OF_RANGE)) return false;
  const category = Math.trunc(x);
  return Array.prototype.includes.call(categories, category);
}
