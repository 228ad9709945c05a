/**
 * Emits the kernel for one row. Eight trees are walked together, level by level: each walk waits for memory at every node, and
 * eight independent ones fill the wait. A comparison is the sign of `node - slot`, so nothing is left to be mispredicted.
 */
import { GROUP, type KernelInput, type MemoryMap } from "../image";
import { type Code, F32, I32, ModuleWriter, type Value } from "./code";
import { defineRanks } from "./ranks";

const NODE_BYTES = 16;

/** Module with one export, `single()`: the row in the memory's row area → its margins in the margin area. */
export function singleModule(description: KernelInput, map: MemoryMap): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const perfect = description.layout === "perfect";
  const ranks = defineRanks(module, description, map, { bits: 32, shift: perfect ? 16 : 0 });
  const walkers = new Map<number, number>();
  for (const { depth } of description.runs) {
    if (!walkers.has(depth)) walkers.set(depth, perfect ? definePerfect(module, map, depth) : definePointer(module, map, depth));
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
      let at = perfect ? map.sections.words : map.sections.roots;
      for (const [output, base] of description.baseMargins.entries()) {
        code.set(sum, () => code.f32(base));
        for (const run of description.runs.filter((candidate) => candidate.output === output)) {
          const bytes = run.groups * (perfect ? perfectGroupBytes(run.depth) : ROOTS_BYTES);
          const start = at;
          code.set(sum, () =>
            code.call(
              walkers.get(run.depth)!,
              () => code.i32(start),
              () => code.i32(start + bytes),
              () => code.get(sum),
            ),
          );
          at += bytes;
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

/** Bytes of a group of perfect trees of a depth. */
export function perfectGroupBytes(depth: number): number {
  return GROUP * 4 * 2 ** (depth + 1);
}

/** Depth and eight roots, four bytes each. */
const ROOTS_BYTES = 4 * (GROUP + 1);

const WALKER = { parameters: [I32, I32, F32], results: [F32] };

/** `(first group, end, sum) → sum` over perfect trees. A node's number is its place in the 1-based heap. */
function definePerfect(module: ModuleWriter, map: MemoryMap, depth: number): number {
  const treeBytes = perfectGroupBytes(depth) / GROUP;
  return module.define(WALKER, (code) => {
    const { group, end, sum } = walkerParameters;
    const nodes = Array.from({ length: GROUP }, () => code.local(I32));
    const word = code.local(I32);
    code.repeat(
      () => {
        const wordAddress = (tree: number): Value => {
          const offset: Value = () => code.shl(() => code.get(nodes[tree]!), 2);
          return () => code.add(() => code.get(group), offset);
        };
        for (let level = 0; level < depth; level++) {
          for (let tree = 0; tree < GROUP; tree++) {
            const address: Value = level === 0 ? () => code.get(group) : wordAddress(tree);
            const offset = tree * treeBytes + (level === 0 ? 4 : 0);
            code.set(word, () => code.load(address, offset));
            const slot: Value = () =>
              code.and(
                () => code.get(word),
                () => code.i32(0xffff),
              );
            const goesRight = signOfDifference(
              code,
              () => code.get(word),
              () => code.load(slot, map.slots),
            );
            const leftChild: Value = level === 0 ? () => code.i32(2) : () => code.shl(() => code.get(nodes[tree]!), 1);
            code.set(nodes[tree]!, () => code.add(leftChild, goesRight));
          }
        }
        for (let tree = 0; tree < GROUP; tree++) {
          code.set(sum, () =>
            code.f32Add(
              () => code.get(sum),
              () => code.loadFloat(wordAddress(tree), tree * treeBytes),
            ),
          );
        }
        advance(code, group, perfectGroupBytes(depth));
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
    const { words } = map.sections;
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

const walkerParameters = { group: 0, end: 1, sum: 2 };

/** 1 when a < b, else 0. Ranks leave room for the sign, so the difference does not overflow. */
function signOfDifference(code: Code, a: Value, b: Value): Value {
  return () => code.shrU(() => code.sub(a, b), 31);
}

function advance(code: Code, local: number, bytes: number): void {
  code.set(local, () =>
    code.add(
      () => code.get(local),
      () => code.i32(bytes),
    ),
  );
}
