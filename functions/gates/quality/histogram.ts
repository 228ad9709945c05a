/** Histograms as NumPy, Spark and the training script write them. */
import type { Problem } from "../../scoring/core/types";
import type { Histogram } from "./psi";

/** As `statistics.json` and `baseline.json` have it. */
export interface WrittenHistogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/**
 * n edges have n − 1 counts; n when the last one counts missing values; n + 1 when the outer bins are open.
 * @param pointer to the histogram in its document
 * @returns the problem, if that isn't so
 */
export function histogramOf({ edges, counts }: WrittenHistogram, pointer: string): Histogram | Problem {
  if (edges.some((edge, index) => index > 0 && edge <= edges[index - 1]!))
    return { pointer: `${pointer}/edges`, detail: "Expected ascending edges." };
  // A column whose values are all missing has no quantiles and therefore no edges.
  if (edges.length === 0 && counts.length === 1) return { edges, counts: [], below: counts[0]!, above: 0, missing: 0 };
  switch (counts.length - edges.length) {
    case -1:
      return { edges, counts, below: 0, above: 0, missing: 0 };
    case 0:
      return { edges, counts: counts.slice(0, -1), below: 0, above: 0, missing: counts.at(-1)! };
    case 1:
      return { edges, counts: counts.slice(1, -1), below: counts[0]!, above: counts.at(-1)!, missing: 0 };
    default: {
      const detail = `Expected ${edges.length - 1} counts for ${edges.length} edges, got ${counts.length}.`;
      return { pointer: `${pointer}/counts`, detail };
    }
  }
}

export const isProblem = (read: Histogram | Problem): read is Problem => "pointer" in read;
