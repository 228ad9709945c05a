/**
 * Columns: what a row is turned into before any tree is walked. A numeric column holds every threshold that the model compares
 * one feature with; a row's value becomes its rank among them, so that a node compares two small integers. A set column is one
 * category set of one feature; its rank is 0 or 1.
 *
 * A rank is kept twice, in a left and a right slot, which differ when the value is missing: then the left slot holds a rank below
 * every threshold, the right one a rank above. A node reads the slot that its default direction asks for, and so needs no branch.
 */
import type { Ensemble, Tree } from "./ensemble";

/** Bytes from a slot to the next one: a SIMD vector, so that a node's slot serves the single-row and the batch kernel. */
export const SLOT_BYTES = 16;

/** A slot's byte offset, shifted right by this, is its number. */
export const SLOT_SHIFT = 4;

/** Numeric columns are searched four at a time. */
export const QUAD = 4;

export interface Column {
  readonly feature: number;
  /** Distinct thresholds, ascending; empty for a column that only fills a quad. */
  readonly thresholds: Float32Array;
  /** The search halves a table of 2^bits - 1 thresholds this many times. */
  readonly bits: number;
}

export interface SetColumn {
  readonly feature: number;
  /** Ascending. */
  readonly categories: Int32Array;
}

export interface Columns {
  /** A multiple of {@link QUAD}, in quads of equal `bits`, most bits first. */
  readonly numeric: readonly Column[];
  readonly sets: readonly SetColumn[];
  /** Byte offset of the slot that a node reads, and the rank above which it goes right. */
  locate(tree: Tree, node: number): { readonly slot: number; readonly rank: number };
}

/** Slot 0 is always 0 and belongs to padding nodes; column c has the slots 1 + 2c (left) and 2 + 2c (right). */
export function slotOf(column: number, defaultLeft: boolean): number {
  return SLOT_BYTES * (1 + 2 * column + (defaultLeft ? 0 : 1));
}

/** Gathers the columns of an ensemble. */
export function columnsOf(ensemble: Ensemble): Columns {
  const thresholds = new Map<number, Set<number>>();
  const sets = new Map<string, SetColumn & { readonly index: number }>();
  for (const tree of ensemble.trees) {
    for (let node = 0; node < tree.left.length; node++) {
      if (tree.left[node]! < 0) continue;
      const feature = tree.feature[node]!;
      const categories = tree.categories.get(node);
      if (categories === undefined) {
        const known = thresholds.get(feature);
        if (known === undefined) thresholds.set(feature, new Set([tree.value[node]!]));
        else known.add(tree.value[node]!);
      } else {
        const key = setKey(feature, categories);
        if (!sets.has(key)) sets.set(key, { feature, categories, index: sets.size });
      }
    }
  }
  const numeric = inQuads(
    Array.from(thresholds, ([feature, values]) => {
      const sorted = Float32Array.from(values).sort();
      return { feature, thresholds: sorted, bits: Math.max(1, Math.ceil(Math.log2(sorted.length + 1))) };
    }),
  );
  const columnOfFeature = new Map(
    numeric.flatMap(({ feature, thresholds: t }, index) => (t.length > 0 ? [[feature, index] as const] : [])),
  );
  const rankOf = numeric.map((column) => new Map(Array.from(column.thresholds, (threshold, rank) => [threshold, rank])));

  return {
    numeric,
    sets: [...sets.values()],
    locate(tree, node) {
      const feature = tree.feature[node]!;
      const defaultLeft = tree.defaultLeft[node] === 1;
      const categories = tree.categories.get(node);
      if (categories !== undefined) {
        const column = numeric.length + sets.get(setKey(feature, categories))!.index;
        return { slot: slotOf(column, defaultLeft), rank: 0 };
      }
      const column = columnOfFeature.get(feature)!;
      return { slot: slotOf(column, defaultLeft), rank: rankOf[column]!.get(tree.value[node]!)! };
    },
  };
}

function inQuads(columns: Column[]): Column[] {
  columns.sort((a, b) => b.bits - a.bits || a.feature - b.feature);
  const quads: Column[] = [];
  for (let first = 0; first < columns.length; first += QUAD) {
    const { bits } = columns[first]!;
    for (let index = first; index < first + QUAD; index++) {
      quads.push({ ...(columns[index] ?? { feature: 0, thresholds: new Float32Array(0) }), bits });
    }
  }
  return quads;
}

function setKey(feature: number, categories: Int32Array): string {
  return `${feature}:${categories.join(",")}`;
}
