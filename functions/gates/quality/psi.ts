/**
 * Population stability index: Σ (q − p)·ln(q / p) over the bins of an earlier distribution p and a later one q. By convention, below
 * 0.1 is stable and above 0.25 is another population (Siddiqi, "Credit Risk Scorecards").
 */

/** Counts between edges; `below` and `above` count what lies outside them. */
export interface Histogram {
  /** Ascending. */
  readonly edges: readonly number[];
  /** One fewer than edges; a value on an edge belongs to the bin on its right. */
  readonly counts: readonly number[];
  readonly below: number;
  readonly above: number;
  readonly missing: number;
}

/** Share assumed for an empty bin: with 0, a single value in it would make the index infinite. */
const LEAST_SHARE = 1e-4;
/** Smaller bins of the baseline are joined with a neighbour, because chance moves them most. */
const LEAST_BIN = 0.05;
/** Rarer categories are counted as "others". */
const LEAST_CATEGORY = 0.01;
/** An edge that falls inside a bin of the other histogram with a larger share is not used: nobody knows where in the bin its values lie. */
const MAX_UNCERTAIN = 0.15;

/** Index of two lists of counts over the same bins; 0 when either is empty. */
export function psi(baseline: readonly number[], current: readonly number[]): number {
  const total = sum(baseline);
  const currentTotal = sum(current);
  if (total === 0 || currentTotal === 0) return 0;
  let index = 0;
  for (const [bin, count] of baseline.entries()) {
    const p = Math.max(count / total, LEAST_SHARE);
    const q = Math.max(current[bin]! / currentTotal, LEAST_SHARE);
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

/** Index of categories by name. Categories that are rare in the baseline or absent from it count as one; so do missing values. */
export function categoryPsi(
  baseline: Readonly<Record<string, number>>,
  current: Readonly<Record<string, number>>,
  missing: readonly [baseline: number, current: number],
): number {
  const total = sum(Object.values(baseline)) + missing[0];
  const common = Object.keys(baseline).filter((name) => baseline[name]! >= LEAST_CATEGORY * total);
  const counts = (of: Readonly<Record<string, number>>, missingCount: number): number[] => {
    const listed = common.map((name) => (Object.hasOwn(of, name) ? of[name]! : 0));
    return [...listed, Math.max(0, sum(Object.values(of)) - sum(listed)), missingCount];
  };
  return psi(counts(baseline, missing[0]), counts(current, missing[1]));
}

/**
 * Index of two histograms whose edges may differ. Only edges at which both can be counted are used: a histogram's own, and those that
 * fall into a small bin of the other, whose values are assumed to be spread evenly. Missing values are a bin of their own.
 */
export function histogramPsi(baseline: Histogram, current: Histogram): number {
  const [a, b] = [cumulative(baseline), cumulative(current)];
  const cuts = [...new Set([...baseline.edges, ...current.edges])]
    .sort((x, y) => x - y)
    .filter((x) => a.uncertainty(x) <= MAX_UNCERTAIN && b.uncertainty(x) <= MAX_UNCERTAIN);
  const [p, q] = joined(a.between(cuts), b.between(cuts));
  return psi([...p, baseline.missing], [...q, current.missing]);
}

/** Counts of single values, put between edges. A value on an edge belongs to the bin on its right. */
export function binned(values: Readonly<Record<string, number>>, edges: readonly number[]): Histogram {
  const bins = new Array<number>(edges.length + 1).fill(0);
  for (const [value, count] of Object.entries(values)) {
    bins[edges.findLastIndex((edge) => edge <= Number(value)) + 1]! += count;
  }
  return { edges, counts: bins.slice(1, -1), below: bins[0]!, above: edges.length === 0 ? 0 : bins.at(-1)!, missing: 0 };
}

function cumulative({ edges, counts, below, above }: Histogram) {
  const total = below + sum(counts) + above;
  /** Index of the last edge that is not right of x; -1 when x is left of all edges. */
  const lastEdge = (x: number): number => edges.findLastIndex((edge) => edge <= x);
  const atMost = (x: number): number => {
    const at = lastEdge(x);
    if (at < 0) return 0;
    const before = below + sum(counts.slice(0, at));
    if (at >= counts.length) return before;
    const [left, right] = [edges[at]!, edges[at + 1]!];
    return before + (counts[at]! * (x - left)) / (right - left);
  };
  return {
    /** Share of the values that may lie on either side of x; 1 in an open end that holds any, since nobody knows how far it reaches. */
    uncertainty(x: number): number {
      const at = lastEdge(x);
      if (edges[at] === x || total === 0) return 0;
      if (at < 0) return below > 0 ? 1 : 0;
      return at < counts.length ? counts[at]! / total : above > 0 ? 1 : 0;
    },
    /** Counts left of the first cut, between each two cuts, and right of the last. */
    between(cuts: readonly number[]): number[] {
      const marks = cuts.map(atMost);
      return [...marks, total].map((mark, index) => mark - (index === 0 ? 0 : marks[index - 1]!));
    },
  };
}

/** Joins neighbours until each bin of the baseline is large enough. */
function joined(baseline: readonly number[], current: readonly number[]): [number[], number[]] {
  const least = LEAST_BIN * sum(baseline);
  const p: number[] = [];
  const q: number[] = [];
  let [openP, openQ] = [0, 0];
  for (const [bin, count] of baseline.entries()) {
    openP += count;
    openQ += current[bin]!;
    if (openP < least || openP === 0) continue;
    p.push(openP);
    q.push(openQ);
    [openP, openQ] = [0, 0];
  }
  if (p.length === 0) return [[openP], [openQ]];
  p[p.length - 1]! += openP;
  q[q.length - 1]! += openQ;
  return [p, q];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
