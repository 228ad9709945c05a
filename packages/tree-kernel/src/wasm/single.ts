/**
 * Emits the kernel for one row. Eight trees are walked together, level by level: each walk waits for memory at every node, and
 * eight independent ones fill the wait. A comparison is the sign of `node - slot`, so nothing is left to be mispredicted.
 */
import { SLOT_BYTES } from "../columns";
import { GROUP, type KernelInput, type MemoryMap, rankShift } from "../image";
import { type Code, F32, I32, ModuleWriter, type Value } from "./code";
import { defineRanks, type RankForm } from "./ranks";

const NODE_BYTES = 16;

/** Module with one export, `single()`: the row in the memory's row area → its margins in the margin area. */
export function singleModule(description: KernelInput, map: MemoryMap): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const perfect = description.layout === "perfect";
  const ranks = defineRanks(module, description, map, singleForm(description));
  const walkers = new Map<number, number>();
  for (const { depth } of description.runs) {
    if (!walkers.has(depth))
      walkers.set(depth, perfect ? definePerfect(module, description, map, depth) : definePointer(module, map, depth));
  }
  module.define(
    { parameters: [], results: [] },
    (code) => {
      code.call(
        ranks,
        () => code.i32(map.rows),
        () => code.i32(map.slots),
      );
      const sum = code.local(F32);
      let at = perfect ? nodesAt(description, map) : map.sections.roots;
      let leaves = map.sections.leaves;
      for (const [output, base] of description.baseMargins.entries()) {
        code.set(sum, () => code.f32(base));
        for (const run of description.runs.filter((candidate) => candidate.output === output)) {
          const bytes = run.groups * (perfect ? groupNodeBytes(description, run.depth) : ROOTS_BYTES);
          const [start, firstLeaf] = [at, leaves];
          code.set(sum, () =>
            code.call(
              walkers.get(run.depth)!,
              () => code.i32(start),
              () => code.i32(start + bytes),
              // On the level of the leaves a node's number counts from 2^depth.
              () => code.i32(firstLeaf - 4 * 2 ** run.depth),
              () => code.get(sum),
            ),
          );
          at += bytes;
          if (perfect) leaves += run.groups * groupLeafBytes(run.depth);
        }
        code.storeFloat(
          () => code.i32(map.margins),
          4 * output,
          () => code.get(sum),
        );
      }
    },
    "single",
  );
  return module.bytes();
}

/** How the walks of a row want its ranks: those of short nodes as bytes side by side, others so that a node's number can be compared. */
function singleForm(description: KernelInput): RankForm {
  if (description.nodeBytes === 2) return { bits: 8, shift: 0, slotBytes: 1 };
  return { bits: 32, shift: rankShift(description), slotBytes: SLOT_BYTES };
}

/** Address of the first node. */
export function nodesAt({ nodeBytes }: KernelInput, { sections }: MemoryMap): number {
  return nodeBytes === 2 ? sections.shortNodes : sections.nodes;
}

/** Bytes of the nodes of a group of perfect trees of a depth. */
export function groupNodeBytes({ nodeBytes }: KernelInput, depth: number): number {
  return GROUP * nodeBytes * 2 ** depth;
}

/** Bytes of their leaves. */
export function groupLeafBytes(depth: number): number {
  return GROUP * 4 * 2 ** depth;
}

/** Depth and eight roots, four bytes each. */
const ROOTS_BYTES = 4 * (GROUP + 1);

/** `(first group, end, address of leaf number 0, sum) → sum`; the pointer layout has its leaves among the nodes. */
const WALKER = { parameters: [I32, I32, I32, F32], results: [F32] };

/** Walks perfect trees. A node's number is its place in the 1-based heap. */
function definePerfect(module: ModuleWriter, description: KernelInput, map: MemoryMap, depth: number): number {
  const isShort = description.nodeBytes === 2;
  const nodeShift = Math.log2(description.nodeBytes);
  const treeBytes = groupNodeBytes(description, depth) / GROUP;
  return module.define(WALKER, (code) => {
    const { group, end, leaves, sum } = walkerParameters;
    const nodes = Array.from({ length: GROUP }, () => code.local(I32));
    const at = code.local(I32);
    code.repeat(
      () => {
        const addressIn = (base: number, tree: number, shift: number): Value => {
          const offset: Value = () => code.shl(() => code.get(nodes[tree]!), shift);
          return () => code.add(() => code.get(base), offset);
        };
        for (let level = 0; level < depth; level++) {
          for (let tree = 0; tree < GROUP; tree++) {
            const address: Value = level === 0 ? () => code.get(group) : addressIn(group, tree, nodeShift);
            const offset = tree * treeBytes + (level === 0 ? description.nodeBytes : 0);
            code.set(at, address);
            const node: Value = () => code.get(at);
            const goesRight = isShort
              ? signOfDifference(
                  code,
                  () => code.load8Signed(node, offset + 1),
                  () => code.load8Signed(() => code.load8(node, offset), map.slots),
                )
              : signOfDifference(
                  code,
                  () => code.load(node, offset),
                  () => code.load(() => code.load16(node, offset), map.slots),
                );
            const leftChild: Value = level === 0 ? () => code.i32(2) : () => code.shl(() => code.get(nodes[tree]!), 1);
            code.set(nodes[tree]!, () => code.add(leftChild, goesRight));
          }
        }
        for (let tree = 0; tree < GROUP; tree++) {
          code.set(sum, () =>
            code.f32Add(
              () => code.get(sum),
              () => code.loadFloat(addressIn(leaves, tree, 2), tree * 4 * 2 ** depth),
            ),
          );
        }
        advance(code, group, groupNodeBytes(description, depth));
        advance(code, leaves, groupLeafBytes(depth));
      },
      () =>
        code.lessU(
          () => code.get(group),
          () => code.get(end),
        ),
    );
    code.get(sum);
  });
}

/** The same over pointer trees. A leaf leads to itself, so every walk of a group takes the group's depth. */
function definePointer(module: ModuleWriter, map: MemoryMap, depth: number): number {
  return module.define(WALKER, (code) => {
    const { group, end, sum } = walkerParameters;
    const nodes = Array.from({ length: GROUP }, () => code.local(I32));
    const level = code.local(I32);
    const { nodes: words } = map.sections;
    code.repeat(
      () => {
        for (let tree = 0; tree < GROUP; tree++) {
          code.set(nodes[tree]!, () => code.load(() => code.get(group), 4 * (1 + tree)));
        }
        code.set(level, () => code.i32(depth));
        code.repeat(
          () => {
            for (const node of nodes) {
              const at: Value = () => code.get(node);
              const slot: Value = () => code.load(at, words);
              const goesRight = signOfDifference(
                code,
                () => code.load(at, words + 4),
                () => code.load(slot, map.slots),
              );
              code.set(node, () =>
                code.add(
                  () => code.load(at, words + 8),
                  () => code.shl(goesRight, Math.log2(NODE_BYTES)),
                ),
              );
            }
          },
          () =>
            code.tee(level, () =>
              code.sub(
                () => code.get(level),
                () => code.i32(1),
              ),
            ),
        );
        for (const node of nodes) {
          code.set(sum, () =>
            code.f32Add(
              () => code.get(sum),
              () => code.loadFloat(() => code.get(node), words + 12),
            ),
          );
        }
        advance(code, group, ROOTS_BYTES);
      },
      () =>
        code.lessU(
          () => code.get(group),
          () => code.get(end),
        ),
    );
    code.get(sum);
  });
}

const walkerParameters = { group: 0, end: 1, leaves: 2, sum: 3 };

/** 1 when a < b, else 0. Ranks leave room for the sign, so the difference does not overflow. */
function signOfDifference(code: Code, a: Value, b: Value): Value {
  return () => code.shrU(() => code.sub(a, b), 31);
}

export function advance(code: Code, local: number, bytes: number): void {
  code.set(local, () =>
    code.add(
      () => code.get(local),
      () => code.i32(bytes),
    ),
  );
}
