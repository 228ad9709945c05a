/**
 * A user's recent spending, such that the same transactions give the same lists in whatever order they came. The newest
 * {@link EXACT_ENTRIES} by time and amount stand for themselves. Older ones are summed up by the cells of a grid of times, which gets
 * coarser with their age: a list of hundreds would not fit into a small item. Larger cells consist of smaller ones, and a cell's size
 * depends only on the cell and the newest time, so it makes no difference when a transaction was put into its cell.
 */

/** Sorted by time, those of the same time as they came. Where there are more than {@link EXACT_ENTRIES}, those before the last ones are cells. */
export interface RecentSpending {
  /** ms since the epoch; of a cell the newest in it, so that a window counts slightly too much, but not too little. */
  readonly times: readonly number[];
  readonly counts: readonly number[];
  /** Amounts, rounded to cents. */
  readonly sums: readonly number[];
}

export const DAY_MS = 86_400_000;
export const EXACT_ENTRIES = 48;

const MINUTE_MS = 60_000;

/**
 * Sizes of cells in ms, largest first, each with the age that a cell of this size has at least: 8 s in the last minute, 33 s in the last five,
 * then 2, 9, 35 and 140 minutes. That is an eighth of the window at whose border a cell can lie.
 */
const CELLS = [
  { size: 2 ** 23, age: 120 * MINUTE_MS },
  { size: 2 ** 21, age: 60 * MINUTE_MS },
  { size: 2 ** 19, age: 10 * MINUTE_MS },
  { size: 2 ** 17, age: 5 * MINUTE_MS },
  { size: 2 ** 15, age: MINUTE_MS },
] as const;
const SMALLEST_CELL = 2 ** 13;
const LARGEST_CELL = CELLS[0].size;

const endOfCell = (time: number, size: number): number => (Math.floor(time / size) + 1) * size;

/** The end of the time's cell, which tells it from every other one. */
function cellOf(time: number, newest: number): number {
  for (const { size, age } of CELLS) {
    const end = endOfCell(time, size);
    if (newest - end >= age) return end;
  }
  return endOfCell(time, SMALLEST_CELL);
}

/** Whole cells are dropped, a day after their end: transactions of a cell go together, or it would matter which of them came first. */
const isOver = (time: number, newest: number): boolean => endOfCell(time, LARGEST_CELL) <= newest - DAY_MS;

interface Lists {
  readonly times: number[];
  readonly counts: number[];
  readonly sums: number[];
}

/**
 * The spending after a transaction, which may be older than those before. Does not change its argument.
 * @param exact entries that stand for themselves, always the same for one list
 */
export function withSpending(before: RecentSpending, time: number, amount: number, exact = EXACT_ENTRIES): RecentSpending {
  const { length } = before.times;
  const newest = Math.max(time, length > 0 ? before.times[length - 1]! : time);
  let first = 0;
  while (first < length && isOver(before.times[first]!, newest)) first++;
  const after: Lists = {
    times: before.times.slice(first),
    counts: before.counts.slice(first),
    sums: before.sums.slice(first),
  };
  if (isOver(time, newest)) return after;
  const cells = after.times.length - exact;
  const at = insert(after, time, hundredth(amount));
  if (cells < 0) return after;
  if (at >= cells) putSmallestFirst(after, cells);
  sumUp(after, cells + 1, newest);
  return after;
}

/** @returns where */
function insert({ times, counts, sums }: Lists, time: number, sum: number): number {
  let at = times.length;
  while (at > 0 && times[at - 1]! > time) at--;
  if (at === times.length) {
    // The common case; `push` keeps the arrays' packed shape and avoids the copies of `splice`.
    times.push(time);
    counts.push(1);
    sums.push(sum);
  } else {
    times.splice(at, 0, time);
    counts.splice(at, 0, 1);
    sums.splice(at, 0, sum);
  }
  return at;
}

/** Of entries of one time, the one with the smallest sum goes into a cell first, whichever came first. */
function putSmallestFirst({ times, counts, sums }: Lists, start: number): void {
  let smallest = start;
  for (let index = start + 1; times[index] === times[start]; index++) if (sums[index]! < sums[smallest]!) smallest = index;
  if (smallest === start) return;
  counts.splice(start, 0, ...counts.splice(smallest, 1));
  sums.splice(start, 0, ...sums.splice(smallest, 1));
}

/** Puts the entries before `end` into their cells. */
function sumUp({ times, counts, sums }: Lists, end: number, newest: number): void {
  let kept = 0;
  let cell = Number.NaN;
  for (let index = 0; index < end; index++) {
    const mine = cellOf(times[index]!, newest);
    if (mine === cell) {
      times[kept - 1] = times[index]!;
      counts[kept - 1]! += counts[index]!;
      sums[kept - 1] = hundredth(sums[kept - 1]! + sums[index]!);
    } else {
      times[kept] = times[index]!;
      counts[kept] = counts[index]!;
      sums[kept] = sums[index]!;
      cell = mine;
      kept++;
    }
  }
  if (kept === end) return;
  times.splice(kept, end - kept);
  counts.splice(kept, end - kept);
  sums.splice(kept, end - kept);
}

export function hundredth(value: number): number {
  // Adding 0 turns −0, which JSON cannot hold, into 0.
  return Math.round(value * 100) / 100 + 0;
}
