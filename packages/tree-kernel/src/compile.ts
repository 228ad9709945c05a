/** Compiles an ensemble into an image: gathers the columns, chooses the layout, lays out nodes and leaves, emits the kernels. */
import { type Columns, columnsOf, SLOT_SHIFT } from "./columns";
import { type Ensemble, type Tree, treeDepth } from "./ensemble";
import { refuse } from "./errors";
import { encodeImage, GROUP, type KernelInput, type ModelSections, type Run, rankBias, type Sections } from "./image";
import { batchModule } from "./wasm/batch";
import { memoryMap } from "./wasm/memory";
import { singleModule } from "./wasm/single";

/** Deeper trees double a heap's padding with every level and gain nothing from it. */
const MAX_PERFECT_DEPTH = 8;
/** A node's slot has 16 bits and counts 16-byte steps: slot 0 and two a column. */
const MAX_PERFECT_COLUMNS = 2047;
/** In a node of 2 bytes a slot has 8 bits, and so has a rank. */
const MAX_SHORT_COLUMNS = 127;
const MAX_SHORT_RANKS = 255;
const MAX_PERFECT_RANKS = 2 ** 15 - 1;
/** A heap may take this many times the bytes of the pointer layout before padding costs more than it saves. */
const MAX_PADDING = 4;
const POINTER_NODE_BYTES = 16;
/** Offsets in `nodes` stay below 2^31, the file below 2 GiB. */
const MAX_WORDS_BYTES = 2 ** 30;

interface Group {
  readonly output: number;
  readonly depth: number;
  readonly trees: readonly (Tree | null)[];
}

type TreeSections = Pick<Sections, "shortNodes" | "nodes" | "leaves" | "roots" | "cover">;

export interface CompileOptions {
  /** JSON that travels in the image: how records become rows of this model. */
  readonly featureSpec?: unknown;
}

/** @returns the bytes of an image that predicts exactly what the ensemble does. Throws `ModelFileError` when it has too many nodes. */
export function compile(ensemble: Ensemble, { featureSpec }: CompileOptions = {}): Uint8Array {
  const columns = columnsOf(ensemble);
  const groups = groupsOf(ensemble);
  const nodes = ensemble.trees.reduce((sum, tree) => sum + reachable(tree), 0);
  const layout = chooseLayout(columns, groups, nodes);
  const mostThresholds = columns.numeric.reduce((most, { thresholds }) => Math.max(most, thresholds.length), 0);
  const rankBits = layout === "pointer" ? 32 : mostThresholds <= MAX_SHORT_RANKS ? 8 : 16;
  const isShort = rankBits === 8 && columns.numeric.length + columns.sets.length <= MAX_SHORT_COLUMNS;
  const description: KernelInput = {
    format: 2,
    source: ensemble.source,
    objective: ensemble.objective.name,
    baseMargins: Array.from(ensemble.baseMargins),
    features: ensemble.features,
    ...(featureSpec === undefined ? {} : { featureSpec }),
    trees: ensemble.trees.length,
    nodes,
    depth: groups.reduce((deepest, group) => Math.max(deepest, group.depth), 0),
    layout,
    nodeBytes: layout === "pointer" ? 16 : isShort ? 2 : 4,
    rankBits,
    quads: quadsOf(columns),
    numericColumns: columns.numeric.length,
    setColumns: columns.sets.length,
    runs: runsOf(groups),
  };
  const trees = layout === "perfect" ? perfectTrees(groups, columns, description) : pointerTrees(groups, columns, nodes);
  const sections = { ...columnSections(columns), ...trees, ...shortened(trees.cover) };
  const memory = memoryMap(description, sections);
  const singleCode = singleModule(description, memory);
  const batchCode = layout === "perfect" ? batchModule(description, memory) : new Uint8Array(0);
  return encodeImage({ ...description, memory }, { ...sections, singleCode, batchCode });
}

/** Trees by output, each output's in their order (float32 sums depend on it), filled up to whole groups. */
function groupsOf(ensemble: Ensemble): Group[] {
  const groups: Group[] = [];
  for (let output = 0; output < ensemble.baseMargins.length; output++) {
    const trees = ensemble.trees.filter((tree) => tree.output === output);
    for (let first = 0; first < trees.length; first += GROUP) {
      const members = Array.from({ length: GROUP }, (_, index) => trees[first + index] ?? null);
      const depth = members.reduce((deepest, tree) => Math.max(deepest, tree === null ? 1 : treeDepth(tree)), 1);
      groups.push({ output, depth, trees: members });
    }
  }
  return groups;
}

function chooseLayout(columns: Columns, groups: readonly Group[], nodes: number): "perfect" | "pointer" {
  const perfectBytes = groups.reduce((sum, { depth }) => sum + GROUP * 8 * 2 ** depth, 0);
  const pointerBytes = POINTER_NODE_BYTES * (nodes + GROUP);
  if (pointerBytes > MAX_WORDS_BYTES)
    refuse(`The model has ${nodes} nodes; at most ${MAX_WORDS_BYTES / POINTER_NODE_BYTES} fit into an image.`);
  const fits =
    groups.every(({ depth }) => depth <= MAX_PERFECT_DEPTH) &&
    columns.numeric.length + columns.sets.length <= MAX_PERFECT_COLUMNS &&
    columns.numeric.every(({ thresholds }) => thresholds.length <= MAX_PERFECT_RANKS);
  return fits && perfectBytes <= Math.max(MAX_PADDING * pointerBytes, 2 ** 16) ? "perfect" : "pointer";
}

/** What a tree that only fills a group adds: x + -0 is x, whatever x is. */
const NOTHING = -0;

/** Per tree a 1-based heap of 2^depth nodes and as many leaves. A padding node (0) always goes left. */
function perfectTrees(groups: readonly Group[], columns: Columns, description: KernelInput): TreeSections {
  const isShort = description.nodeBytes === 2;
  const bias = rankBias(description);
  const total = groups.reduce((sum, { depth }) => sum + GROUP * 2 ** depth, 0);
  const shortNodes = new Int16Array(isShort ? total : 0);
  const nodes = new Int32Array(isShort ? 0 : total);
  const values = new Float32Array(total);
  const cover = new Float32Array(total);
  let start = 0;
  for (const { depth, trees } of groups) {
    const leaves = 2 ** depth;
    for (const tree of trees) {
      const place = (node: number, heap: number, value: number, weight: number): void => {
        if (heap >= leaves) {
          values[start + heap - leaves] = value;
          cover[start + heap - leaves] = weight;
        } else if (tree === null || tree.left[node]! < 0) {
          place(node, 2 * heap, value, weight);
        } else {
          const { slot, rank } = columns.locate(tree, node);
          if (isShort) shortNodes[start + heap] = ((rank + bias) << 8) | (slot >> SLOT_SHIFT);
          else nodes[start + heap] = ((rank + bias) << 16) | slot;
          for (const [child, side] of [
            [tree.left[node]!, 0],
            [tree.right[node]!, 1],
          ] as const) {
            place(child, 2 * heap + side, tree.value[child]!, tree.cover[child]!);
          }
        }
      };
      if (tree === null) place(0, 1, NOTHING, 0);
      else place(0, 1, tree.value[0]!, tree.cover[0]!);
      start += leaves;
    }
  }
  return { shortNodes, nodes, leaves: values, roots: new Uint32Array(0), cover };
}

/** Per node four words; siblings lie side by side. A leaf reads slot 0, so it "goes left", to itself. */
function pointerTrees(groups: readonly Group[], columns: Columns, nodes: number): TreeSections {
  // The last node stands for the trees that only fill a group.
  const words = new Int32Array(4 * (nodes + 1));
  const values = new Float32Array(words.buffer);
  const cover = new Float32Array(nodes + 1);
  const leaf = (at: number, value: number): void => {
    words[4 * at + 2] = POINTER_NODE_BYTES * at;
    values[4 * at + 3] = value;
  };
  leaf(nodes, NOTHING);
  const roots = new Uint32Array((GROUP + 1) * groups.length);
  let free = 0;
  for (const [index, { depth, trees }] of groups.entries()) {
    roots[(GROUP + 1) * index] = depth;
    for (const [member, tree] of trees.entries()) {
      const root = tree === null ? nodes : free++;
      roots[(GROUP + 1) * index + 1 + member] = POINTER_NODE_BYTES * root;
      if (tree === null) continue;
      const queue: [number, number][] = [[0, root]];
      for (let next = 0; next < queue.length; next++) {
        const [node, at] = queue[next]!;
        cover[at] = tree.cover[node]!;
        if (tree.left[node]! < 0) {
          leaf(at, tree.value[node]!);
          continue;
        }
        const { slot, rank } = columns.locate(tree, node);
        words.set([slot, rank, POINTER_NODE_BYTES * free], 4 * at);
        queue.push([tree.left[node]!, free], [tree.right[node]!, free + 1]);
        free += 2;
      }
    }
  }
  return { shortNodes: new Int16Array(0), nodes: words, leaves: new Float32Array(0), roots, cover };
}

const MAX_SHORT_COVER = 2 ** 16 - 1;

/** The cover as 16-bit counts when it is nothing else. */
function shortened(cover: Float32Array): Pick<Sections, "cover" | "shortCover"> {
  const isCounts = cover.every((weight) => Number.isInteger(weight) && weight >= 0 && weight <= MAX_SHORT_COVER);
  return isCounts
    ? { cover: new Float32Array(0), shortCover: Uint16Array.from(cover) }
    : { cover, shortCover: new Uint16Array(0) };
}

function columnSections({
  numeric,
  sets,
}: Columns): Pick<ModelSections, "columnFeatures" | "thresholds" | "setDirectory" | "setBits"> {
  const thresholds = new Float32Array(numeric.reduce((sum, { bits }) => sum + 2 ** bits, 0)).fill(Number.NaN);
  let start = 0;
  for (const column of numeric) {
    thresholds.set(column.thresholds, start);
    start += 2 ** column.bits;
  }
  const lengths = sets.map(({ categories }) => categories[categories.length - 1]! + 1);
  const setDirectory = new Uint32Array(2 * sets.length);
  const setBits = new Uint8Array(lengths.reduce((sum, length) => sum + Math.ceil(length / 8), 0));
  let offset = 0;
  for (const [index, { categories }] of sets.entries()) {
    setDirectory.set([offset, lengths[index]!], 2 * index);
    for (const category of categories) setBits[offset + (category >> 3)]! |= 1 << (category & 7);
    offset += Math.ceil(lengths[index]! / 8);
  }
  return { columnFeatures: Uint32Array.from([...numeric, ...sets], ({ feature }) => feature), thresholds, setDirectory, setBits };
}

function quadsOf({ numeric }: Columns): { bits: number; count: number }[] {
  const quads: { bits: number; count: number }[] = [];
  for (let first = 0; first < numeric.length; first += 4) {
    const last = quads[quads.length - 1];
    const { bits } = numeric[first]!;
    if (last?.bits === bits) last.count++;
    else quads.push({ bits, count: 1 });
  }
  return quads;
}

function runsOf(groups: readonly Group[]): Run[] {
  const runs: { output: number; depth: number; groups: number }[] = [];
  for (const { output, depth } of groups) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.output === output && last.depth === depth) last.groups++;
    else runs.push({ output, depth, groups: 1 });
  }
  return runs;
}

/** Nodes that a row can reach; pruned ones stay in the file. */
function reachable(tree: Tree): number {
  let count = 0;
  const stack = [0];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    count++;
    if (tree.left[node]! >= 0) stack.push(tree.left[node]!, tree.right[node]!);
  }
  return count;
}
