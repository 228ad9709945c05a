/** Compares the model's and the champion's predictions on the same rows. Pure except for loading the champion's image. */

import { loadTrees, type TreeEvaluator } from "@risk/tree-kernel";
import type { FeatureSpec } from "../../scoring/models/feature-spec";
import type { DatasetDocument } from "../dataset";
import { championRows } from "./champion";
import type { Holdout } from "./holdout";
import { binaryMetrics, type Metrics, regressionMetrics } from "./metrics";

/** Metrics of predictions, compared with labels of the dataset's kind. */
export function metricsOf(
  { target }: DatasetDocument,
  evaluator: TreeEvaluator,
  margins: Float32Array,
  holdout: Holdout,
): Metrics {
  // A regression's predictions are clamped to its target's scale, in batch as in real time.
  const [low, high] = target.kind === "regression" ? [target.minimum, target.maximum] : [0, 1];
  const predictions = new Float32Array(holdout.count);
  const one = new Float32Array(1);
  for (let row = 0; row < holdout.count; row++) {
    one[0] = margins[row]!;
    predictions[row] = Math.min(high, Math.max(low, evaluator.applyLink(one)[0]!));
  }
  const scored = { labels: holdout.labels, margins, predictions };
  return target.kind === "binary" ? binaryMetrics(scored) : regressionMetrics(scored);
}

export interface ChampionResult {
  readonly metrics: Metrics | undefined;
  /** For people: what the two were compared on, or why they weren't. */
  readonly comparison: string;
}

/** @param image of the champion, its hash checked */
export function evaluateChampion(
  document: DatasetDocument,
  image: Uint8Array,
  spec: FeatureSpec,
  holdout: Holdout,
): ChampionResult {
  const incomparable = (reason: string): ChampionResult => ({ metrics: undefined, comparison: reason });
  let champion: TreeEvaluator;
  try {
    champion = loadTrees(image);
  } catch (error) {
    return incomparable(`its image cannot be loaded (${error instanceof Error ? error.message : String(error)})`);
  }
  if (champion.outputs !== 1) return incomparable(`it has ${champion.outputs} outputs`);
  const link = document.target.kind === "binary" ? "logistic" : "identity";
  if (champion.objective.link !== link)
    return incomparable(`it predicts ${champion.objective.name}, which is not on the scale of ${document.training.objective}`);
  const rows = championRows(champion, spec, holdout);
  if (!rows.ok) return incomparable(rows.reason);
  const margins = champion.marginsBatch(rows.rows, holdout.count);
  return { metrics: metricsOf(document, champion, margins, holdout), comparison: `on the same ${holdout.count} rows` };
}
