"""Serves a model of train.py, in batch transform and behind endpoints: raw values in the order of the features → one score per row.

The four functions are the interface of SageMaker's XGBoost container in script mode. Rows come as text/csv without a header ("" is missing)
or as application/json: {"instances": [[…], …]}, only the list, or objects by feature name in place of the inner lists."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xgboost as xgb

import encoding


@dataclass(frozen=True)
class Model:
    booster: xgb.Booster
    spec: Mapping[str, Any]
    # Scale of a regression's target, which its trees may exceed; None for probabilities.
    limits: tuple[float, float] | None


# Rows of the request: in the order of the features, or by name.
Records = Sequence[Sequence[encoding.Raw]] | Sequence[Mapping[str, encoding.Raw]]


def model_fn(model_dir: str) -> Model:
    folder = Path(model_dir)
    booster = xgb.Booster(model_file=str(folder / "model.ubj"))
    spec = json.loads((folder / "feature-spec.json").read_text(encoding="utf-8"))
    target = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["target"]
    limits = (float(target["minimum"]), float(target["maximum"])) if target["kind"] == "regression" else None
    return Model(booster, spec, limits)


def input_fn(request_body: str | bytes, request_content_type: str) -> Records:
    text = request_body.decode("utf-8") if isinstance(request_body, (bytes, bytearray)) else request_body
    kind = request_content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        rows: list[list[encoding.Raw]] = []
        for row in csv.reader(io.StringIO(text, newline="")):
            # A line with one missing value is empty, and csv gives no cell for it.
            rows.append(list(row) if row else [None])
        return rows
    if kind == "application/json":
        content = json.loads(text)
        instances = content.get("instances") if isinstance(content, dict) else content
        if not isinstance(instances, list):
            raise ValueError('The request has no rows: expected a list of rows, or {"instances": [[…], …]}.')
        return instances
    raise ValueError(f"Content type {request_content_type} is not served: send text/csv or application/json.")


def predict_fn(input_object: Records, model: Model) -> npt.NDArray[np.float32]:
    """Scores as float32: probabilities, or values on the target's scale."""
    if len(input_object) == 0:
        return np.empty(0, np.float32)
    names = encoding.names_of(model.spec)
    records = [[row.get(name) for name in names] if isinstance(row, Mapping) else row for row in input_object]
    rows = encoding.encode(model.spec, encoding.columns_of(model.spec, records))
    # Encoded rows contain no infinity, which a DMatrix would reject; predicting in place copies nothing.
    scores = model.booster.inplace_predict(rows, validate_features=False)
    return scores if model.limits is None else np.clip(scores, *model.limits)


def output_fn(prediction: npt.NDArray[np.float32], accept: str) -> str | tuple[str, str]:
    """One score per line, or {"predictions": […]}. Each is written as the double that equals the float32."""
    scores = [float(score) for score in prediction]
    if accept.split(";")[0].strip().lower() == "application/json":
        return json.dumps({"predictions": scores}), "application/json"
    return "".join(f"{score!r}\n" for score in scores), "text/csv"
