/** Trees as the model file has them, checked and ready to be compiled. Nothing here depends on a file format. */
import type { Objective } from "./objective";

/**
 * One tree in parallel arrays; node 0 is the root. A node with `left` -1 is a leaf. A numeric node goes left when
 * `float32(x) < threshold`, a categorical one when `x` is not in its set; a missing value (NaN) goes where `defaultLeft` says.
 */
export interface Tree {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  /** Threshold of a numeric node; of a leaf its value, already weighted (`dart`). */
  readonly value: Float32Array;
  readonly defaultLeft: Uint8Array;
  /** Sum of the hessians of the training rows that reached the node: its weight in an explanation. */
  readonly cover: Float32Array;
  /** Categories of the categorical nodes, ascending. */
  readonly categories: ReadonlyMap<number, Int32Array>;
  /** Output that the tree adds to: the class of a multi-class model, else 0. */
  readonly output: number;
}

export interface Ensemble {
  /** `xgboost 3.2.0`. */
  readonly source: string;
  readonly objective: Objective;
  /** Margin that each output starts from, float32. Its length is the number of outputs. */
  readonly baseMargins: Float32Array;
  readonly features: readonly Feature[];
  readonly trees: readonly Tree[];
}

export interface Feature {
  /** `f0`, `f1`, … when the file names none. */
  readonly name: string;
  /** XGBoost's letter: `q` quantitative, `i` indicator, `int`, `float`, `c` categorical; empty when the file has none. */
  readonly type: string;
}

/** Number of levels below the root. */
export function treeDepth(tree: Tree, node = 0): number {
  const stack: [number, number][] = [[node, 0]];
  let deepest = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [at, depth] = top;
    if (tree.left[at]! < 0) deepest = Math.max(deepest, depth);
    else stack.push([tree.left[at]!, depth + 1], [tree.right[at]!, depth + 1]);
  }
  return deepest;
}
