/** Reads histograms as NumPy, Spark and the training script write them. */
import { count, list, number, openObject, type Read } from "../json";
import type { Histogram } from "./psi";

interface Written {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

const WRITTEN: Read<Written> = openObject<Written>({ edges: list(number()), counts: list(count, { min: 1 }) }, {});

/**
 * `{edges, counts}` with n edges and n − 1 counts, n when the missing values come last, or n + 1 when the outer bins are open.
 */
export const histogram: Read<Histogram> = (value, pointer, found) => {
  const written = WRITTEN(value, pointer, found);
  if (written === undefined) return undefined;
  const { edges, counts } = written;
  if (edges.some((edge, index) => index > 0 && edge <= edges[index - 1]!)) {
    found.push({ pointer: `${pointer}/edges`, detail: "Expected ascending edges." });
    return undefined;
  }
  // A column of which every value is missing has no quantiles, hence no edges.
  if (edges.length === 0 && counts.length === 1) return { edges, counts: [], below: counts[0]!, above: 0, missing: 0 };
  switch (counts.length - edges.length) {
    case -1:
      return { edges, counts, below: 0, above: 0, missing: 0 };
    case 0:
      return { edges, counts: counts.slice(0, -1), below: 0, above: 0, missing: counts.at(-1)! };
    case 1:
      return { edges, counts: counts.slice(1, -1), below: counts[0]!, above: counts.at(-1)!, missing: 0 };
    default:
      found.push({
        pointer: `${pointer}/counts`,
        detail: `Expected ${edges.length - 1} counts for ${edges.length} edges, got ${counts.length}.`,
      });
      return undefined;
  }
};
