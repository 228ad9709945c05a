/** The gate after training: whether a trained model may be registered. Pure. */

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

/** What a model has to pass: the limit in itself, a holdout that can tell, the margin over the champion, and stable predictions. */
export function decisionChecks({ evaluation }: Pick<DatasetDocument, "evaluation">, evidence: Evidence): Check[] {
  const { metric } = evaluation;
  const value = evidence.metrics[metric];
  if (value === undefined) {
    const detail = "the holdout has rows of one class only; widen the history, or the holdout's share";
    return [{ name: metric.toUpperCase(), ok: false, detail }];
  }
  return [
    limitCheck(evaluation, value),
    ...classesCheck(evaluation, evidence),
    championCheck(evaluation, value, evidence),
    stabilityCheck(evaluation, evidence),
  ];
}

type Evaluation = DatasetDocument["evaluation"];

/** Of AUC more is better, of RMSE less. */
const BOUND = { auc: "at least", rmse: "at most" } as const;
const reaches = (metric: Evaluation["metric"], found: number, wanted: number): boolean =>
  metric === "auc" ? found >= wanted : found <= wanted;

function limitCheck({ metric, limit }: Evaluation, value: number): Check {
  const detail = `${figure(value)}, ${BOUND[metric]} ${limit} is needed`;
  return { name: metric.toUpperCase(), ok: reaches(metric, value, limit), detail };
}

function classesCheck({ metric }: Evaluation, { metrics: { rows = 0, positives } }: Evidence): Check[] {
  if (metric !== "auc" || positives === undefined) return [];
  const detail = `${positives} of ${rows} rows are positive; at least ${MIN_OF_A_CLASS} of each class are needed to judge by`;
  return [{ name: "holdout", ok: Math.min(positives, rows - positives) >= MIN_OF_A_CLASS, detail }];
}

function championCheck({ metric, margin }: Evaluation, value: number, evidence: Evidence): Check {
  const { champion, championMetrics, comparison } = evidence;
  const theirs = championMetrics?.[metric];
  if (theirs === undefined) {
    return { name: "champion", ok: true, detail: `not compared with "${champion}": ${comparison}; only the limit decides` };
  }
  const wanted = metric === "auc" ? theirs + margin : theirs - margin;
  const detail = `${figure(value)} against ${figure(theirs)} of "${champion}" on the same rows, ${BOUND[metric]} ${figure(wanted)} is needed (margin ${margin})`;
  return { name: "champion", ok: reaches(metric, value, wanted), detail };
}

function stabilityCheck({ maxPsi }: Evaluation, { champion, psi }: Evidence): Check {
  const name = "stability";
  if (psi === undefined) return { name, ok: true, detail: `"${champion}" left no baseline of its predictions to compare with` };
  const detail = `PSI of the predictions against those of "${champion}" is ${figure(psi)}, at most ${maxPsi} is allowed`;
  return { name, ok: psi <= maxPsi, detail };
}
