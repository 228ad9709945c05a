/** How good predictions are. Pure. The arrays passed to a function have the same length; the order of rows doesn't matter. */

/**
 * Area under the ROC curve: the share of pairs of a positive and a negative row in which the positive one scores higher; a tie counts
 * half. Undefined when a class has no rows. By ranks (Mann–Whitney U), O(n log n).
 */
export function auc(labels: ArrayLike<number>, scores: ArrayLike<number>): number | undefined {
  const order = Array.from(scores, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && scores[order[last + 1]!] === scores[order[first]!]) last++;
    // Ranks count from 1; rows with equal scores share the mean of their ranks.
    const rank = (first + last) / 2 + 1;
    for (let at = first; at <= last; at++) {
      if (labels[order[at]!] !== 1) continue;
      positives++;
      rankSum += rank;
    }
    first = last + 1;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean log loss (nats) of margins in log-odds. Computed from the margin, so that no probability is rounded to 0 or 1. */
export function logLoss(labels: ArrayLike<number>, margins: ArrayLike<number>): number {
  return mean(labels, (label, row) => softplus(margins[row]!) - label * margins[row]!);
}

/** ln(1 + e^x). */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Brier score: mean squared error of probabilities. */
export function brier(labels: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  return mean(labels, (label, row) => (probabilities[row]! - label) ** 2);
}

export function rmse(labels: ArrayLike<number>, predictions: ArrayLike<number>): number {
  return Math.sqrt(mean(labels, (label, row) => (predictions[row]! - label) ** 2));
}

/** Mean absolute error. */
export function mae(labels: ArrayLike<number>, predictions: ArrayLike<number>): number {
  return mean(labels, (label, row) => Math.abs(predictions[row]! - label));
}

function mean(labels: ArrayLike<number>, of: (label: number, row: number) => number): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) sum += of(labels[row]!, row);
  return sum / labels.length;
}

/** Metrics by name, as reports show them. */
export type Metrics = Readonly<Record<string, number>>;

export interface Scored {
  readonly labels: ArrayLike<number>;
  readonly margins: ArrayLike<number>;
  readonly predictions: ArrayLike<number>;
}

/** `auc`, `logLoss` and `brier` of a classifier whose margins are log-odds. `auc` is missing unless both classes have rows. */
export function binaryMetrics({ labels, margins, predictions }: Scored): Metrics {
  const area = auc(labels, margins);
  return {
    ...(area === undefined ? {} : { auc: area }),
    logLoss: logLoss(labels, margins),
    brier: brier(labels, predictions),
    rows: labels.length,
    positives: Array.from(labels).filter((label) => label === 1).length,
  };
}

export function regressionMetrics({ labels, predictions }: Scored): Metrics {
  return { rmse: rmse(labels, predictions), mae: mae(labels, predictions), rows: labels.length };
}
