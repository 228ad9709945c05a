/** Whether a trained model may be registered. Pure. */

import { type Check, figure } from "../common/check";
import type { DatasetDocument } from "../dataset";
import type { Metrics } from "./metrics";

export interface Evidence {
  readonly metrics: Metrics;
  readonly champion: string;
  /** Undefined when the champion cannot be compared. */
  readonly championMetrics: Metrics | undefined;
  /** Why not, or on what. */
  readonly comparison: string;
  /** Undefined when the champion left no baseline. */
  readonly psi: number | undefined;
}

/**
 * Rows of each class that a ranking must rest on: with 20 of the rarer one the standard error of an AUC near 0.9 is about 0.04
 * (Hanley & McNeil 1982), with fewer a lucky holdout promotes anything.
 */
const MIN_OF_A_CLASS = 20;

/** The limit in itself, the margin over the champion, and the predictions' stability. */
export function decisionChecks({ evaluation }: Pick<DatasetDocument, "evaluation">, evidence: Evidence): Check[] {
  const { metric, limit, margin, maxPsi } = evaluation;
  const { metrics, champion, championMetrics, comparison, psi } = evidence;
  const value = metrics[metric];
  const [bound, isGood] =
    metric === "auc"
      ? (["at least", (found: number, wanted: number) => found >= wanted] as const)
      : (["at most", (found: number, wanted: number) => found <= wanted] as const);
  const name = metric.toUpperCase();
  if (value === undefined) {
    return [{ name, ok: false, detail: "the holdout has rows of one class only; widen the history, or the holdout's share" }];
  }
  const checks: Check[] = [{ name, ok: isGood(value, limit), detail: `${figure(value)}, ${bound} ${limit} is needed` }];
  const { rows = 0, positives } = metrics;
  if (metric === "auc" && positives !== undefined) {
    const rarer = Math.min(positives, rows - positives);
    checks.push({
      name: "holdout",
      ok: rarer >= MIN_OF_A_CLASS,
      detail: `${positives} of ${rows} rows are positive; at least ${MIN_OF_A_CLASS} of each class are needed to judge by`,
    });
  }
  const theirs = championMetrics?.[metric];
  if (theirs === undefined) {
    checks.push({ name: "champion", ok: true, detail: `not compared with "${champion}": ${comparison}; only the limit decides` });
  } else {
    const wanted = metric === "auc" ? theirs + margin : theirs - margin;
    const detail = `${figure(value)} against ${figure(theirs)} of "${champion}" on the same rows, ${bound} ${figure(wanted)} is needed (margin ${margin})`;
    checks.push({ name: "champion", ok: isGood(value, wanted), detail });
  }
  checks.push(
    psi === undefined
      ? { name: "stability", ok: true, detail: `"${champion}" left no baseline of its predictions to compare with` }
      : {
          name: "stability",
          ok: psi <= maxPsi,
          detail: `PSI of the predictions against those of "${champion}" is ${figure(psi)}, at most ${maxPsi} is allowed`,
        },
  );
  return checks;
}
