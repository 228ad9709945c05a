/**
 * TreeSHAP (Lundberg, Erion, Lee: "Consistent Individualized Feature Attribution for Tree Ensembles", 2018, algorithm 2): exact
 * Shapley values of a tree in O(leaves · depth²). A path holds, per distinct feature above the node, the share of the training
 * rows that would come along without knowing the feature (`zero`), whether this row does (`one`), and the weight of the subsets
 * of each size.
 */
import type { Forest } from "./forest";

/** Paths of all recursion levels, one behind the other. */
export interface Path {
  readonly feature: Int32Array;
  readonly zero: Float64Array;
  readonly one: Float64Array;
  readonly weight: Float64Array;
}

export function newPath(depth: number): Path {
  // A path at level n has n + 1 elements, the first of which stands for no feature.
  const size = ((depth + 2) * (depth + 3)) / 2;
  return {
    feature: new Int32Array(size),
    zero: new Float64Array(size),
    one: new Float64Array(size),
    weight: new Float64Array(size),
  };
}

/** Adds the Shapley values of the tree at `root` to `shares`. */
export function addTreeShap(forest: Forest, root: number, slots: Int32Array, shares: Float64Array, path: Path): void {
  const { left, right, slot, key, feature: features, mean, cover } = forest;

  const visit = (node: number, parentStart: number, parentLength: number, zero: number, one: number, feature: number): void => {
    const start = parentStart + parentLength;
    for (const part of [path.feature, path.zero, path.one, path.weight]) part.copyWithin(start, parentStart, start);
    let length = extend(path, start, parentLength, zero, one, feature);
    if (left[node]! < 0) {
      for (let index = 1; index < length; index++) {
        const moved = unwoundSum(path, start, length, index) * (path.one[start + index]! - path.zero[start + index]!);
        shares[path.feature[start + index]!]! += moved * mean[node]!;
      }
      return;
    }
    const goesRight = slots[slot[node]!]! > key[node]!;
    const [hot, cold] = goesRight ? [right[node]!, left[node]!] : [left[node]!, right[node]!];
    let incomingZero = 1;
    let incomingOne = 1;
    for (let index = 1; index < length; index++) {
      if (path.feature[start + index] !== features[node]) continue;
      // The feature has been asked before: its earlier element is replaced.
      incomingZero = path.zero[start + index]!;
      incomingOne = path.one[start + index]!;
      length = unwind(path, start, length, index);
      break;
    }
    const share = (child: number): number => (cover[node]! > 0 ? cover[child]! / cover[node]! : 0.5);
    visit(hot, start, length, share(hot) * incomingZero, incomingOne, features[node]!);
    visit(cold, start, length, share(cold) * incomingZero, 0, features[node]!);
  };

  visit(root, 0, 0, 1, 1, -1);
}

/** Appends an element. @returns the new length */
function extend(path: Path, start: number, length: number, zero: number, one: number, feature: number): number {
  const { weight } = path;
  path.feature[start + length] = feature;
  path.zero[start + length] = zero;
  path.one[start + length] = one;
  weight[start + length] = length === 0 ? 1 : 0;
  for (let index = length - 1; index >= 0; index--) {
    weight[start + index + 1]! += (one * weight[start + index]! * (index + 1)) / (length + 1);
    weight[start + index]! *= (zero * (length - index)) / (length + 1);
  }
  return length + 1;
}

/** Takes an element out again. @returns the new length */
function unwind(path: Path, start: number, length: number, removed: number): number {
  const { feature, zero, one, weight } = path;
  const [z, o] = [zero[start + removed]!, one[start + removed]!];
  let next = weight[start + length - 1]!;
  for (let index = length - 2; index >= 0; index--) {
    if (o !== 0) {
      const before = weight[start + index]!;
      weight[start + index] = (next * length) / ((index + 1) * o);
      next = before - (weight[start + index]! * z * (length - 1 - index)) / length;
    } else if (z !== 0) {
      weight[start + index] = (weight[start + index]! * length) / (z * (length - 1 - index));
    }
  }
  for (let index = removed; index < length - 1; index++) {
    feature[start + index] = feature[start + index + 1]!;
    zero[start + index] = zero[start + index + 1]!;
    one[start + index] = one[start + index + 1]!;
  }
  return length - 1;
}

/** Sum of the weights that {@link unwind} would leave. */
function unwoundSum(path: Path, start: number, length: number, removed: number): number {
  const { zero, one, weight } = path;
  const [z, o] = [zero[start + removed]!, one[start + removed]!];
  let next = weight[start + length - 1]!;
  let total = 0;
  for (let index = length - 2; index >= 0; index--) {
    if (o !== 0) {
      const part = (next * length) / ((index + 1) * o);
      total += part;
      next = weight[start + index]! - (part * z * (length - 1 - index)) / length;
    } else if (z !== 0) {
      total += (weight[start + index]! * length) / (z * (length - 1 - index));
    }
  }
  return total;
}
