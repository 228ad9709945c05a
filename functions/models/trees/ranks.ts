/** Fills the slots of a row in TypeScript: for the fallback kernel and for explanations. */
import { SLOT_SHIFT, slotOf } from "./columns";
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
  const starts: number[] = [];
  const bits: number[] = [];
  let start = 0;
  for (const quads of description.quads) {
    for (let column = 0; column < 4 * quads.count; column++) {
      starts.push(start);
      bits.push(quads.bits);
      start += 2 ** quads.bits;
    }
  }

  const numericRank = (column: number, x: number): number => {
    const first = starts[column]!;
    let rank = 0;
    for (let step = 1 << (bits[column]! - 1); step >= 1; step >>= 1) {
      if (thresholds[first + rank + step - 1]! <= x) rank += step;
    }
    return rank;
  };
  const setRank = (set: number, x: number): number => {
    if (!(x >= 0 && x < setDirectory[2 * set + 1]!)) return 0;
    const category = Math.trunc(x);
    return (setBits[setDirectory[2 * set]! + (category >> 3)]! >> (category & 7)) & 1;
  };

  return (row, at = 0) => {
    for (let column = 0; column < numericColumns + setColumns; column++) {
      const x = Math.fround(row[at + columnFeatures[column]!]!);
      const rank = column < numericColumns ? numericRank(column, x) : setRank(column - numericColumns, x);
      const slot = 1 + 2 * column;
      slots[slot] = (rank + bias) << shift;
      slots[slot + 1] = Number.isNaN(x) ? right : slots[slot]!;
    }
    return slots;
  };
}
