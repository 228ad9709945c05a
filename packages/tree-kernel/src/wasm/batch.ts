/**
 * Emits the kernel for a block of 48 rows over perfect trees. SIMD128 cannot gather, so a tree is not walked: every node is
 * compared for all rows at once (16 at a time with 8-bit ranks), and the leaf's number is folded together from the bottom. Below
 * a node, the right half's leaves have the larger numbers, so `max(left, right AND goesRight)` selects between the halves.
 */
import { SLOT_BYTES, SLOT_SHIFT } from "../columns";
import { GROUP, type KernelInput, type MemoryMap } from "../image";
import { type Code, I32, ModuleWriter, V128, type Value } from "./code";
import { BLOCK, lanesOf } from "./memory";
import { defineRanks } from "./ranks";
import { advance, groupLeafBytes, groupNodeBytes, nodesAt } from "./single";

const VECTOR = 16;
const PARTS = BLOCK / VECTOR;
const FLOATS = 4;

/** Module with one export, `batch()`: 48 rows in the row area → 48 margins per output in the margin area. */
export function batchModule(description: KernelInput, map: MemoryMap): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const bits = description.rankBits === 8 ? 8 : 16;
  const ranks = defineRanks(module, description, map, { bits, shift: 0, slotBytes: SLOT_BYTES });
  const walkers = new Map<number, number>();
  for (const { depth } of description.runs) {
    if (!walkers.has(depth)) walkers.set(depth, defineBlockWalker(module, description, map, depth));
  }
  module.define(
    { parameters: [], results: [] },
    (code) => {
      const lanes = lanesOf(description);
      for (let row = 0; row < BLOCK; row++) {
        const area = map.vectors[Math.floor(row / lanes)]!;
        code.call(
          ranks,
          () => code.i32(map.rows + 4 * row * description.features.length),
          () => code.i32(area + (row % lanes) * (bits / 8)),
        );
      }
      for (const [output, base] of description.baseMargins.entries()) {
        for (let row = 0; row < BLOCK; row += FLOATS) {
          code.storeVector(
            () => code.i32(map.margins + 4 * (BLOCK * output + row)),
            0,
            () => code.floatsSplat(() => code.f32(base)),
          );
        }
      }
      let nodes = nodesAt(description, map);
      let leaves = map.sections.leaves;
      for (const { output, depth, groups } of description.runs) {
        const [firstNode, firstLeaf] = [nodes, leaves];
        nodes += groups * groupNodeBytes(description, depth);
        leaves += groups * groupLeafBytes(depth);
        const end = nodes;
        code.call(
          walkers.get(depth)!,
          () => code.i32(firstNode),
          () => code.i32(end),
          () => code.i32(firstLeaf),
          () => code.i32(map.margins + 4 * BLOCK * output),
        );
      }
    },
    "batch",
  );
  return module.bytes();
}

/** `(nodes of the first tree, their end, its leaves, margins of the block) → ()`: adds the trees' leaves to the margins, tree by tree. */
function defineBlockWalker(module: ModuleWriter, description: KernelInput, map: MemoryMap, depth: number): number {
  return module.define({ parameters: [I32, I32, I32, I32], results: [] }, (code) => {
    const [tree, end, leaves, margins] = [0, 1, 2, 3];
    const fold = new LeafFold(code, description, map, depth, tree);
    code.repeat(
      () => {
        for (const [part, leaf] of fold.emit().entries()) {
          code.storeVector(
            () => code.i32(map.leaves + VECTOR * part),
            0,
            () => code.get(leaf),
          );
        }
        for (let row = 0; row < BLOCK; row += FLOATS) {
          code.storeVector(
            () => code.get(margins),
            4 * row,
            () =>
              code.floatsAdd(
                () => code.loadVector(() => code.get(margins), 4 * row),
                () => leafValues(code, map, leaves, row),
              ),
          );
        }
        advance(code, tree, groupNodeBytes(description, depth) / GROUP);
        advance(code, leaves, groupLeafBytes(depth) / GROUP);
      },
      () =>
        code.lessU(
          () => code.get(tree),
          () => code.get(end),
        ),
    );
  });
}

/** Leaves of four rows as a vector. `leaves` is the local with the address of a tree's leaves. */
function leafValues(code: Code, map: MemoryMap, leaves: number, row: number): void {
  const address = (lane: number): Value => {
    const index: Value = () => code.load8(() => code.i32(map.leaves), row + lane);
    const offset: Value = () => code.shl(index, 2);
    return () => code.add(() => code.get(leaves), offset);
  };
  const build = (lane: number): void => {
    if (lane === 0) code.loadFloatZero(address(0), 0);
    else code.loadLane(address(lane), 0, () => build(lane - 1), lane);
  };
  build(FLOATS - 1);
}

/** Emits the comparison of all nodes of a tree and the fold of their outcomes into leaf numbers. */
class LeafFold {
  /** Per level, the locals that hold what is below a left child while its sibling is computed. */
  private readonly results: readonly (readonly number[])[];
  private readonly slot: number;
  private readonly rank: number;

  constructor(
    private readonly code: Code,
    private readonly description: KernelInput,
    private readonly map: MemoryMap,
    private readonly depth: number,
    private readonly tree: number,
  ) {
    this.results = Array.from({ length: 2 * depth }, () => Array.from({ length: PARTS }, () => code.local(V128)));
    this.slot = code.local(I32);
    this.rank = code.local(V128);
  }

  /** @returns the locals that hold the leaf numbers of each part */
  emit(): readonly number[] {
    return this.node(1, 0, 0);
  }

  private node(heap: number, level: number, side: number): readonly number[] {
    const { code, map } = this;
    const targets = this.results[2 * level + side]!;
    if (level === this.depth - 1) {
      this.fetch(heap);
      const first = 16 * (heap - 2 ** level);
      for (const [part, target] of targets.entries()) {
        code.set(target, () => code.bytesSub(() => code.loadVector(() => code.i32(map.evens), first), this.goesRight(part)));
      }
      return targets;
    }
    const left = this.node(2 * heap, level + 1, 0);
    const right = this.node(2 * heap + 1, level + 1, 1);
    this.fetch(heap);
    for (const [part, target] of targets.entries()) {
      const rightLeaf: Value = () => code.vectorAnd(() => code.get(right[part]!), this.goesRight(part));
      code.set(target, () => code.bytesMax(() => code.get(left[part]!), rightLeaf));
    }
    return targets;
  }

  /** Loads a node's slot and its rank, the latter into every lane. */
  private fetch(heap: number): void {
    const { code } = this;
    const tree: Value = () => code.get(this.tree);
    const { rankBits, nodeBytes } = this.description;
    const splat = rankBits === 8 ? code.splat8 : code.splat16;
    const at = nodeBytes * heap;
    code.set(this.slot, () => (nodeBytes === 2 ? code.shl(() => code.load8(tree, at), SLOT_SHIFT) : code.load16(tree, at)));
    code.set(this.rank, () => splat(tree, at + nodeBytes / 2));
  }

  /** All bits set for the rows of a part that go right at the fetched node. */
  private goesRight(part: number): Value {
    const { code, map } = this;
    const slot: Value = () => code.get(this.slot);
    const rank: Value = () => code.get(this.rank);
    const ranks =
      (area: number): Value =>
      () =>
        code.loadVector(slot, map.vectors[area]!);
    if (this.description.rankBits === 8) return () => code.bytesAbove(ranks(part), rank);
    const low: Value = () => code.shortsAbove(ranks(2 * part), rank);
    const high: Value = () => code.shortsAbove(ranks(2 * part + 1), rank);
    return () => code.narrow(low, high);
  }
}
