/**
 * Path contributions over perfect trees, on the very heaps that predictions walk: what a step to a child changes in the mean of the
 * leaves below is the share of the feature that was asked. Means are built on first use, in a few milliseconds.
 */
import { SLOT_SHIFT } from "./columns";
import { GROUP, type Image } from "./image";

/** Adds the path contributions of one output's trees to `shares`; `slots` are a row's. */
export type PathAdder = (slots: Int32Array, output: number, shares: Float64Array) => void;

export function perfectPaths(image: Image): PathAdder {
  const { runs, nodeBytes } = image.description;
  const { shortNodes, nodes: longNodes, columnFeatures } = image.sections;
  const nodes = nodeBytes === 2 ? shortNodes : longNodes;
  const slotMask = nodeBytes === 2 ? 0xff : 0xffff;
  const slotShift = nodeBytes === 2 ? 0 : SLOT_SHIFT;
  const means = meansOf(image);
  /** By slot; slot 0 belongs to padding, which is never asked. */
  const features = Uint32Array.from({ length: 2 * columnFeatures.length + 1 }, (_, slot) => columnFeatures[(slot - 1) >> 1] ?? 0);

  const addTree = (start: number, depth: number, slots: Int32Array, shares: Float64Array): void => {
    const meanStart = 2 * start;
    let heap = 1;
    let mean = means[meanStart + 1]!;
    for (let level = 0; level < depth; level++) {
      const word = nodes[start + heap]!;
      // Below padding there is only padding.
      if (word === 0) return;
      const slot = (word & slotMask) >> slotShift;
      heap = 2 * heap + ((word - slots[slot]!) >>> 31);
      const next = means[meanStart + heap]!;
      shares[features[slot]!]! += next - mean;
      mean = next;
    }
  };

  return (slots, output, shares) => {
    let start = 0;
    for (const run of runs) {
      const size = 1 << run.depth;
      const end = start + GROUP * run.groups * size;
      if (run.output === output) for (let tree = start; tree < end; tree += size) addTree(tree, run.depth, slots, shares);
      start = end;
    }
  };
}

/** Per tree 2^(depth + 1) numbers, a 1-based heap down to the leaves: means weighted by how many training rows came by. */
function meansOf({ description, sections }: Image): Float64Array {
  const { leaves, cover, shortCover, shortNodes, nodes: longNodes } = sections;
  const nodes = description.nodeBytes === 2 ? shortNodes : longNodes;
  const weights = shortCover.length > 0 ? shortCover : cover;
  const means = new Float64Array(2 * leaves.length);
  const below = new Float64Array(2 ** (description.depth + 1));
  let start = 0;
  for (const { depth, groups } of description.runs) {
    const size = 1 << depth;
    for (let tree = 0; tree < GROUP * groups; tree++, start += size) {
      const top = 2 * start;
      for (let leaf = 0; leaf < size; leaf++) {
        means[top + size + leaf] = leaves[start + leaf]!;
        below[size + leaf] = weights[start + leaf]!;
      }
      for (let heap = size - 1; heap >= 1; heap--) {
        const left = 2 * heap;
        const meanLeft = means[top + left]!;
        const weightLeft = below[left]!;
        if (nodes[start + heap] === 0) {
          // Padding: the leaf that it stands for lies to the left.
          means[top + heap] = meanLeft;
          below[heap] = weightLeft;
          continue;
        }
        const meanRight = means[top + left + 1]!;
        const weightRight = below[left + 1]!;
        const weight = weightLeft + weightRight;
        below[heap] = weight;
        // Nodes that no training row reached weigh nothing; their halves then count alike.
        means[top + heap] = weight > 0 ? (meanLeft * weightLeft + meanRight * weightRight) / weight : (meanLeft + meanRight) / 2;
      }
    }
  }
  return means;
}
