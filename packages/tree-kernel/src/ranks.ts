/** Fills the slots of a row in TypeScript: for the fallback kernel and for explanations. */
import { QUAD, SLOT_SHIFT, slotOf } from "./columns";
import { type Image, missingRight, rankBias, rankShift } from "./image";

/** The slots of a row, by number. The array is overwritten by the next call. */
export type Ranker = (row: ArrayLike<number>, at?: number) => Int32Array;

export function ranker({ description, sections }: Image): Ranker {
  const { columnFeatures, thresholds, setDirectory, setBits } = sections;
  const { numericColumns, setColumns } = description;
  const slots = new Int32Array((slotOf(numericColumns + setColumns, true) >> SLOT_SHIFT) + 1);
  const bias = rankBias(description);
  const shift = rankShift(description);
  const right = missingRight(description) << shift;
  /** The row's values in the columns' order, rounded to float32. */
  const values = new Float32Array(numericColumns + setColumns);
  /** Per quad of numeric columns: how often its tables are halved, and where the first of them starts. */
  const halvings: number[] = [];
  const tables: number[] = [];
  let end = 0;
  for (const { bits, count } of description.quads) {
    for (let quad = 0; quad < count; quad++) {
      halvings.push(bits);
      tables.push(end);
      end += QUAD * 2 ** bits;
    }
  }

  const write = (column: number, rank: number, x: number): void => {
    const slot = 1 + 2 * column;
    const left = (rank + bias) << shift;
    slots[slot] = left;
    slots[slot + 1] = Number.isNaN(x) ? right : left;
  };

  /** Branchless binary searches, four in flight: a mispredicted branch costs more than all the rest of a step. */
  const rankQuad = (quad: number): void => {
    const column = QUAD * quad;
    const table = tables[quad]!;
    const bits = halvings[quad]!;
    const length = 1 << bits;
    const x0 = values[column]!;
    const x1 = values[column + 1]!;
    const x2 = values[column + 2]!;
    const x3 = values[column + 3]!;
    // A place is the rank it stands for, less one, so that adding a step gives the threshold to compare with.
    let place0 = table - 1;
    let place1 = place0 + length;
    let place2 = place1 + length;
    let place3 = place2 + length;
    for (let halving = bits - 1; halving >= 0; halving--) {
      const step = 1 << halving;
      place0 += Number(thresholds[place0 + step]! <= x0) << halving;
      place1 += Number(thresholds[place1 + step]! <= x1) << halving;
      place2 += Number(thresholds[place2 + step]! <= x2) << halving;
      place3 += Number(thresholds[place3 + step]! <= x3) << halving;
    }
    const first = table - 1;
    write(column, place0 - first, x0);
    write(column + 1, place1 - first - length, x1);
    write(column + 2, place2 - first - 2 * length, x2);
    write(column + 3, place3 - first - 3 * length, x3);
  };

  const setRank = (set: number, x: number): number => {
    if (!(x >= 0 && x < setDirectory[2 * set + 1]!)) return 0;
    const category = Math.trunc(x);
    return (setBits[setDirectory[2 * set]! + (category >> 3)]! >> (category & 7)) & 1;
  };

  return (row, at = 0) => {
    for (let column = 0; column < values.length; column++) values[column] = row[at + columnFeatures[column]!]!;
    for (let quad = 0; quad < tables.length; quad++) rankQuad(quad);
    for (let set = 0; set < setColumns; set++) {
      const column = numericColumns + set;
      write(column, setRank(set, values[column]!), values[column]!);
    }
    return slots;
  };
}
