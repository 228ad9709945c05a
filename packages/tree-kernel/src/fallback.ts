/**
 * The kernel in plain TypeScript: used where WebAssembly is not to be had, and to test the other one. Four trees are walked
 * together so that their memory accesses overlap, and a comparison is a subtraction's sign bit: no branch to mispredict.
 */

import { SLOT_SHIFT } from "./columns";
import { GROUP, type Image, type Run } from "./image";
import type { Kernel } from "./kernel";
import { ranker } from "./ranks";

export function typescriptKernel(image: Image): Kernel {
  const rank = ranker(image);
  const walk = image.description.layout === "perfect" ? perfectWalk(image) : pointerWalk(image);
  const { baseMargins, features } = image.description;
  const outputs = baseMargins.length;
  const margins: Kernel["margins"] = (row, out, at) => walk(rank(row), out, at);
  return {
    name: "typescript",
    margins,
    marginsBatch(rows, count, out) {
      for (let row = 0; row < count; row++) walk(rank(rows, row * features.length), out, row * outputs);
    },
  };
}

type Walk = (slots: Int32Array, out: Float32Array, at: number) => void;

function perfectWalk({ description, sections }: Image): Walk {
  const { leaves } = sections;
  const { baseMargins, runs, nodeBytes } = description;
  const nodes = nodeBytes === 2 ? sections.shortNodes : sections.nodes;
  const slotMask = nodeBytes === 2 ? 0xff : 0xffff;
  const slotShift = nodeBytes === 2 ? 0 : SLOT_SHIFT;
  const step = (at: number, node: number, slots: Int32Array): number => {
    const word = nodes[at]!;
    return (node << 1) | ((word - slots[(word & slotMask) >> slotShift]!) >>> 31);
  };
  const walkRun = ({ depth, groups }: Run, start: number, base: number, slots: Int32Array): number => {
    const tree = 1 << depth;
    const end = start + GROUP * groups * tree;
    let sum = base;
    // Leaves of the trees before: adding one waits for the sum before it, which the walks of the next trees fill.
    let v0 = -0;
    let v1 = -0;
    let v2 = -0;
    let v3 = -0;
    for (let t0 = start; t0 < end; t0 += 4 * tree) {
      const t1 = t0 + tree;
      const t2 = t1 + tree;
      const t3 = t2 + tree;
      let n0 = 1;
      let n1 = 1;
      let n2 = 1;
      let n3 = 1;
      sum = Math.fround(sum + v0);
      sum = Math.fround(sum + v1);
      if (depth & 1) {
        n0 = step(t0 + n0, n0, slots);
        n1 = step(t1 + n1, n1, slots);
        n2 = step(t2 + n2, n2, slots);
        n3 = step(t3 + n3, n3, slots);
      }
      for (let level = depth & 1; level < depth; level += 2) {
        n0 = step(t0 + n0, n0, slots);
        n1 = step(t1 + n1, n1, slots);
        n2 = step(t2 + n2, n2, slots);
        n3 = step(t3 + n3, n3, slots);
        n0 = step(t0 + n0, n0, slots);
        n1 = step(t1 + n1, n1, slots);
        n2 = step(t2 + n2, n2, slots);
        n3 = step(t3 + n3, n3, slots);
      }
      sum = Math.fround(sum + v2);
      sum = Math.fround(sum + v3);
      v0 = leaves[t0 + n0 - tree]!;
      v1 = leaves[t1 + n1 - tree]!;
      v2 = leaves[t2 + n2 - tree]!;
      v3 = leaves[t3 + n3 - tree]!;
    }
    sum = Math.fround(sum + v0);
    sum = Math.fround(sum + v1);
    sum = Math.fround(sum + v2);
    return Math.fround(sum + v3);
  };
  return (slots, out, at) => {
    for (let output = 0; output < baseMargins.length; output++) out[at + output] = baseMargins[output]!;
    let start = 0;
    for (const run of runs) {
      out[at + run.output] = walkRun(run, start, out[at + run.output]!, slots);
      start += (GROUP * run.groups) << run.depth;
    }
  };
}

function pointerWalk({ description, sections: { nodes: words, roots } }: Image): Walk {
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  const { baseMargins, runs } = description;
  return (slots, out, at) => {
    for (let output = 0; output < baseMargins.length; output++) out[at + output] = baseMargins[output]!;
    let root = 0;
    for (const { output, depth, groups } of runs) {
      let sum = out[at + output]!;
      for (let group = 0; group < groups; group++, root += GROUP + 1) {
        for (let member = 1; member <= GROUP; member++) {
          let node = roots[root + member]! >> 2;
          for (let level = 0; level < depth; level++) {
            const right = (words[node + 1]! - slots[words[node]! >> SLOT_SHIFT]!) >>> 31;
            node = (words[node + 2]! >> 2) + 4 * right;
          }
          sum = Math.fround(sum + values[node + 3]!);
        }
      }
      out[at + output] = sum;
    }
  };
}
