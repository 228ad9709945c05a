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
  const steps = stepsOf(image);
  /** By node; 0 for padding, whose steps are 0. */
  const features = Uint16Array.from(nodes, (word) => {
    const slot = (word & slotMask) >> slotShift;
    return slot === 0 ? 0 : columnFeatures[(slot - 1) >> 1]!;
  });
  const leaves = new Int32Array(GROUP);

  const below = (start: number, heap: number, slots: Int32Array): number => {
    const word = nodes[start + heap]!;
    return 2 * heap + ((word - slots[(word & slotMask) >> slotShift]!) >>> 31);
  };

  /** Eight walks at once, as the kernels do: each waits for memory at every node. */
  const walkGroup = (start: number, depth: number, slots: Int32Array): void => {
    const size = 1 << depth;
    let [heap0, heap1, heap2, heap3, heap4, heap5, heap6, heap7] = [1, 1, 1, 1, 1, 1, 1, 1];
    for (let level = 0; level < depth; level++) {
      heap0 = below(start, heap0, slots);
      heap1 = below(start + size, heap1, slots);
      heap2 = below(start + 2 * size, heap2, slots);
      heap3 = below(start + 3 * size, heap3, slots);
      heap4 = below(start + 4 * size, heap4, slots);
      heap5 = below(start + 5 * size, heap5, slots);
      heap6 = below(start + 6 * size, heap6, slots);
      heap7 = below(start + 7 * size, heap7, slots);
    }
    leaves[0] = heap0;
    leaves[1] = heap1;
    leaves[2] = heap2;
    leaves[3] = heap3;
    leaves[4] = heap4;
    leaves[5] = heap5;
    leaves[6] = heap6;
    leaves[7] = heap7;
  };

  return (slots, output, shares) => {
    let start = 0;
    let firstStep = 0;
    for (const { output: own, depth, groups } of runs) {
      const size = 1 << depth;
      for (let group = 0; group < groups; group++) {
        if (own === output) walkGroup(start, depth, slots);
        for (let tree = 0; tree < GROUP; tree++, start += size, firstStep += size * depth) {
          if (own !== output) continue;
          const leaf = leaves[tree]!;
          let step = firstStep + (leaf - size) * depth;
          // From the root down, as the oracle adds them.
          for (let shift = depth; shift > 0; shift--, step++) shares[features[start + (leaf >> shift)]!]! += steps[step]!;
        }
      }
    }
  };
}

/**
 * Per leaf, what each step from the root down to it changes in the mean. Leaf by leaf, although the upper steps are then repeated: a walk
 * reads the steps of one leaf per tree, which are side by side here.
 */
function stepsOf(image: Image): Float64Array {
  const { runs } = image.description;
  const means = meansOf(image);
  const steps = new Float64Array(runs.reduce((sum, { depth, groups }) => sum + GROUP * groups * depth * 2 ** depth, 0));
  let at = 0;
  let top = 0;
  for (const { depth, groups } of runs) {
    const size = 1 << depth;
    for (let tree = 0; tree < GROUP * groups; tree++, top += 2 * size) {
      for (let leaf = size; leaf < 2 * size; leaf++) {
        for (let shift = depth; shift > 0; shift--)
          steps[at++] = means[top + (leaf >> (shift - 1))]! - means[top + (leaf >> shift)]!;
      }
    }
  }
  return steps;
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
