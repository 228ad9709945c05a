"""Distributions of the training set and the predictions: baseline.json, which later sets and predictions are compared with for drift."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping, Sequence

import numpy as np
import numpy.typing as npt

BINS = 20
# Only the most frequent values of a categorical column are listed.
MOST_VALUES = 1000


def baseline(
    spec: Mapping[str, Any], raw: Mapping[str, Sequence[Any]], rows: npt.NDArray[np.float32], predictions: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """raw and rows: the training split before and after encoding. predictions: for the holdout, on the model's scale."""
    features: dict[str, Any] = {}
    for at, feature in enumerate(spec["features"]):
        name = feature["name"]
        if feature["type"] == "categorical":
            features[name] = {"type": "categorical", **_categories(feature, raw[name], rows[:, at])}
        else:
            edges, counts = histogram(rows[:, at].astype(np.float64))
            missing = int(np.isnan(rows[:, at]).sum())
            features[name] = {"type": feature["type"], "edges": edges, "counts": [*counts, missing]}
    edges, counts = histogram(predictions)
    return {"rows": len(rows), "features": features, "prediction": {"edges": edges, "counts": counts}}


def histogram(values: npt.NDArray[np.float64]) -> tuple[list[float], list[int]]:
    """Edges (at least two) at quantiles, so that every bin holds enough to be compared, and counts, one fewer; NaN is left out."""
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1))) if len(known) > 0 else np.array([0.0])
    # A value on an edge counts to its right, so the largest value needs an edge beyond it.
    edges = np.append(edges, np.nextafter(edges[-1], np.inf)) if len(edges) == 1 else np.append(edges[:-1], np.nextafter(edges[-1], np.inf))
    return edges.tolist(), np.histogram(known, edges)[0].tolist()


def _categories(feature: Mapping[str, Any], raw: Sequence[Any], codes: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Counts by text: the category's for an encoded column, the raw value for an ordinal one."""
    if feature["encoder"] == "encoded":
        found = Counter(feature["categories"][int(code)] for code in codes if not np.isnan(code))
    else:
        found = Counter(str(value) for value in raw if value is not None and value != "")
    listed = dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES])
    return {"counts": listed, "missing": len(codes) - sum(found.values())}
