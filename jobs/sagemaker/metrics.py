"""How good predictions are. Labels and predictions are arrays of the same length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def roc(labels: Values, scores: Values) -> tuple[Values, Values]:
    """False and true positive rates, from (0, 0) to (1, 1); rows with equal scores are one point. Needs rows of both classes."""
    order = np.argsort(-scores, kind="stable")
    sorted_labels, sorted_scores = labels[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    hits = np.cumsum(sorted_labels)[last]
    misses = last + 1 - hits
    return np.append(0.0, misses / misses[-1]), np.append(0.0, hits / hits[-1])


def auc(labels: Values, scores: Values) -> float:
    false_rates, true_rates = roc(labels, scores)
    # NumPy's own trapezoidal rule changed its name in version 2.
    return float(np.sum(np.diff(false_rates) * (true_rates[1:] + true_rates[:-1]) / 2))


def pr_auc(labels: Values, scores: Values) -> float:
    """Average precision."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(labels[order])[last]
    return float(np.sum(np.diff(np.append(0.0, hits / hits[-1])) * hits / (last + 1)))


def binary_metrics(labels: Values, probabilities: Values) -> dict[str, float]:
    """Ranking metrics only if both classes have rows."""
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    ranking = {"auc": auc(labels, probabilities), "prAuc": pr_auc(labels, probabilities)} if 0 < labels.sum() < len(labels) else {}
    return {
        **ranking,
        "logLoss": float(-np.mean(np.where(labels == 1, np.log(clipped), np.log(1 - clipped)))),
        "brier": float(np.mean((probabilities - labels) ** 2)),
        "meanPredicted": float(np.mean(probabilities)),
        "meanObserved": float(np.mean(labels)),
    }


def regression_metrics(labels: Values, predictions: Values) -> dict[str, float]:
    errors = predictions - labels
    spread = float(np.sum((labels - labels.mean()) ** 2))
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.mean(np.abs(errors))),
        **({"r2": 1 - float(np.sum(errors**2)) / spread} if spread > 0 else {}),
        "meanPredicted": float(np.mean(predictions)),
        "meanObserved": float(np.mean(labels)),
    }


def calibration(labels: Values, predictions: Values, bins: int = 10) -> list[tuple[float, float, int]]:
    """Groups of about equal size by prediction: mean predicted, mean observed, rows."""
    order = np.argsort(predictions, kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group) > 0]
    return [(float(predictions[group].mean()), float(labels[group].mean()), len(group)) for group in groups]
