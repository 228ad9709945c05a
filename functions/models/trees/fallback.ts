/**
 * The kernel in plain TypeScript: used where WebAssembly is not to be had, and to test the other one. Eight trees are walked
 * together so that their memory accesses overlap, and a comparison is a subtraction's sign bit: no branch to mispredict.
 */

import { SLOT_SHIFT } from "./columns";
import { GROUP, type Image } from "./image";
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

function perfectWalk({ description, sections: { words } }: Image): Walk {
  const values = new Float32Array(words.buffer, words.byteOffset, words.length);
  const { baseMargins, runs } = description;
  return (slots, out, at) => {
    for (let output = 0; output < baseMargins.length; output++) out[at + output] = baseMargins[output]!;
    let start = 0;
    for (const { output, depth, groups } of runs) {
      const tree = 1 << (depth + 1);
      let sum = out[at + output]!;
      for (let group = 0; group < groups; group++) {
        const t0 = start;
        const t1 = t0 + tree;
        const t2 = t1 + tree;
        const t3 = t2 + tree;
        const t4 = t3 + tree;
        const t5 = t4 + tree;
        const t6 = t5 + tree;
        const t7 = t6 + tree;
        let n0 = 1;
        let n1 = 1;
        let n2 = 1;
        let n3 = 1;
        let n4 = 1;
        let n5 = 1;
        let n6 = 1;
        let n7 = 1;
        for (let level = 0; level < depth; level++) {
          n0 = (n0 << 1) | step(words[t0 + n0]!, slots);
          n1 = (n1 << 1) | step(words[t1 + n1]!, slots);
          n2 = (n2 << 1) | step(words[t2 + n2]!, slots);
          n3 = (n3 << 1) | step(words[t3 + n3]!, slots);
          n4 = (n4 << 1) | step(words[t4 + n4]!, slots);
          n5 = (n5 << 1) | step(words[t5 + n5]!, slots);
          n6 = (n6 << 1) | step(words[t6 + n6]!, slots);
          n7 = (n7 << 1) | step(words[t7 + n7]!, slots);
        }
        sum = Math.fround(sum + values[t0 + n0]!);
        sum = Math.fround(sum + values[t1 + n1]!);
        sum = Math.fround(sum + values[t2 + n2]!);
        sum = Math.fround(sum + values[t3 + n3]!);
        sum = Math.fround(sum + values[t4 + n4]!);
        sum = Math.fround(sum + values[t5 + n5]!);
        sum = Math.fround(sum + values[t6 + n6]!);
        sum = Math.fround(sum + values[t7 + n7]!);
        start += GROUP * tree;
      }
      out[at + output] = sum;
    }
  };
}

/** 1 when the slot's rank is above the node's, else 0: the sign of their difference, which cannot overflow. */
function step(word: number, slots: Int32Array): number {
  return (word - slots[(word & 0xffff) >> SLOT_SHIFT]!) >>> 31;
}

function pointerWalk({ description, sections: { words, roots } }: Image): Walk {
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
