/** The gate after training: decides whether a trained model may be registered. Pure. */

import { type Check, figure } from "../common/check";
import type { DatasetDocument } from "../dataset";
import type { Metrics } from "./metrics";

export interface Evidence {
  readonly metrics: Metrics;
  readonly champion: string;
  /** Undefined when the champion can't be compared. */
  readonly championMetrics: Metrics | undefined;
  /** What the two were compared on, or why they weren't. */
  readonly comparison: string;
  /** Undefined when the champion has no baseline. */
  readonly psi: number | undefined;
}

/**
 * Rows that each class needs for a ranking to mean anything: with 20 of the rarer class the standard error of an AUC near 0.9 is about
 * 0.04 (Hanley & McNeil 1982); with fewer, a lucky holdout could promote any model.
 */
const MIN_OF_A_CLASS = 20;

/** What a model has to pass: its own limit, a holdout large enough to judge by, the margin over the champion, and stable predictions. */
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

/** For AUC more is better, for RMSE less. */
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
