"""SageMaker training job (script mode): Parquet splits → a boosted model with everything that is needed to score with it and to judge it.

Reads the channels train, validation, holdout (Parquet: key, event_time, label, features) and config (the dataset's document). Writes to
model.tar.gz: model.ubj, feature-spec.json, metrics.json, baseline.json, golden.json, importance.json, and code/ to serve it; to
output.tar.gz: holdout.csv and pictures. The same rows, seed and number of threads give the same model."""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb

import encoding
import metrics
import pictures
from baseline import baseline
from boosting import Part, boost

HOLDOUT_ROWS = 20_000
# These files serve the model where nothing can be downloaded.
SERVING_CODE = ("inference.py", "encoding.py")


class TrainingError(Exception):
    """Says what is wrong, what was expected and how to fix it."""


class Hyperparameters(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise TrainingError(f"Hyperparameters: {message}. Correct the plan that passes them.")


def main(arguments: Sequence[str]) -> None:
    options = hyperparameters(arguments)
    document = read_document(channel("config"), options.dataset)
    features, target = document["features"], document["target"]
    tables = {name: read_split(name, features, is_required=name != "validation") for name in ("train", "validation", "holdout")}
    labels = {name: labels_of(name, table, target["kind"]) for name, table in tables.items()}
    if len(np.unique(labels["train"])) < 2:
        raise TrainingError(
            f"Every label of the training split is {labels['train'][0]:g}, so there is nothing to learn: expected different values. "
            "Extract a longer history, or load labels."
        )
    raw = {name: columns_of(table, features) for name, table in tables.items()}
    spec = encoding.fit(features, raw["train"])
    parts = {name: Part(encoding.encode(spec, raw[name]), labels[name]) for name in tables}
    names = encoding.names_of(spec)
    booster, best = boost(
        parameters_of(options, names),
        options.rounds,
        options.early_stopping_rounds,
        names,
        parts["train"],
        parts["validation"] if len(labels["validation"]) > 0 else None,
        Path(os.environ.get("SM_CHECKPOINT_DIR", "/opt/ml/checkpoints")),
    )
    holdout = parts["holdout"]
    margins = booster.inplace_predict(holdout.rows, predict_type="margin", validate_features=False)
    predictions = booster.inplace_predict(holdout.rows, validate_features=False)
    if target["kind"] == "regression":
        # As inference.py does.
        predictions = np.clip(predictions, target["minimum"], target["maximum"])
    scores = predictions.astype(np.float64)
    judged = metrics.binary_metrics if target["kind"] == "binary" else metrics.regression_metrics
    found = judged(holdout.labels, scores)
    gains = booster.get_score(importance_type="gain")
    model, output = folder("SM_MODEL_DIR", "/opt/ml/model"), folder("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")
    booster.save_model(model / "model.ubj")
    write_json(model / "feature-spec.json", spec)
    write_json(model / "importance.json", dict(sorted(gains.items(), key=lambda item: (-item[1], item[0]))))
    write_json(model / "baseline.json", baseline(spec, raw["train"], parts["train"].rows, scores))
    write_json(model / "golden.json", golden_rows(names, raw["holdout"], holdout.rows, margins, options.golden_rows))
    write_json(
        model / "metrics.json",
        {
            "dataset": document["name"],
            "modelName": options.model_name,
            "objective": options.objective,
            "target": target,
            **found,
            "rows": {name: len(values) for name, values in labels.items()},
            "positives": {name: int(values.sum()) for name, values in labels.items()} if target["kind"] == "binary" else None,
            "bestIteration": best,
            "xgboost": xgb.__version__,
            "seed": options.seed,
        },
    )
    for name in SERVING_CODE:
        (model / "code").mkdir(exist_ok=True)
        shutil.copyfile(Path(__file__).parent / name, model / "code" / name)
    write_holdout(output / "holdout.csv", tables["holdout"], holdout, margins, predictions, names, options.seed)
    draw(output, document, holdout.labels, scores, gains)
    print(json.dumps({name: round(value, 6) for name, value in found.items()} | {"bestIteration": best}), flush=True)


def hyperparameters(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Hyperparameters(allow_abbrev=False)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model_name", default="")
    parser.add_argument("--objective", choices=["binary:logistic", "reg:squarederror"], required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--max_depth", type=int, required=True)
    parser.add_argument("--learning_rate", type=float, required=True)
    parser.add_argument("--subsample", type=float, default=1.0)
    parser.add_argument("--colsample_bytree", type=float, default=1.0)
    parser.add_argument("--min_child_weight", type=float, default=1.0)
    parser.add_argument("--reg_lambda", type=float, default=1.0)
    parser.add_argument("--early_stopping_rounds", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--golden_rows", type=int, default=64)
    parser.add_argument("--monotone", type=constraints, default={})
    return parser.parse_args(list(arguments))


def constraints(text: str) -> dict[str, int]:
    """{"name": 1} as JSON, or in the form in which SageMaker's training toolkit passes an object on: name=1,other=-1."""
    if text.lstrip().startswith("{"):
        return {name: int(sign) for name, sign in json.loads(text).items()}
    return {name: int(sign) for name, sign in (pair.split("=", 1) for pair in text.split(",") if pair)}


def parameters_of(options: argparse.Namespace, names: list[str]) -> dict[str, Any]:
    unknown = sorted(set(options.monotone) - set(names))
    if unknown:
        raise TrainingError(f"Monotone constraints name {', '.join(unknown)}, which are not features. Correct training.monotone of the dataset.")
    return {
        "objective": options.objective,
        "eval_metric": "logloss" if options.objective == "binary:logistic" else "rmse",
        "tree_method": "hist",
        "max_depth": options.max_depth,
        "eta": options.learning_rate,
        "subsample": options.subsample,
        "colsample_bytree": options.colsample_bytree,
        "min_child_weight": options.min_child_weight,
        "lambda": options.reg_lambda,
        "monotone_constraints": "(" + ",".join(str(options.monotone.get(name, 0)) for name in names) + ")",
        "seed": options.seed,
        "nthread": int(os.environ.get("SM_NUM_CPUS", os.cpu_count() or 1)),
    }


def channel(name: str) -> Path:
    return Path(os.environ.get(f"SM_CHANNEL_{name.upper()}", f"/opt/ml/input/data/{name}"))


def folder(variable: str, default: str) -> Path:
    path = Path(os.environ.get(variable, default))
    path.mkdir(parents=True, exist_ok=True)
    return path


def read_document(config: Path, dataset: str) -> Mapping[str, Any]:
    file = config / f"{dataset}.json"
    if not file.exists():
        raise TrainingError(f"The channel config has no {file.name}: expected the dataset's document. Point it at config/datasets/{file.name}.")
    return json.loads(file.read_text(encoding="utf-8"))


def read_split(name: str, features: Sequence[Mapping[str, Any]], is_required: bool) -> pa.Table:
    """All Parquet files of a channel, sorted by name."""
    files = sorted(path for path in channel(name).rglob("*.parquet") if path.name[0] not in "._")
    tables = [pq.read_table(path, partitioning=None) for path in files]
    rows = sum(table.num_rows for table in tables)
    if rows == 0:
        if is_required:
            raise TrainingError(f"The channel {name} is empty: expected Parquet files with rows. Run the extract again.")
        return pa.table({column: pa.array([], pa.float64()) for column in ["key", "label", *(feature["name"] for feature in features)]})
    table = pa.concat_tables(tables)
    missing = [column for column in ["key", "label", *(feature["name"] for feature in features)] if column not in table.column_names]
    if missing:
        raise TrainingError(
            f"The channel {name} lacks the column {', '.join(missing)}: expected key, label and the dataset's features. "
            "Run the extract with the same version of the dataset."
        )
    return table


def labels_of(name: str, table: pa.Table, kind: str) -> npt.NDArray[np.float64]:
    labels = np.asarray(table.column("label").cast(pa.float64()).to_numpy(), np.float64)
    bad = int((~np.isfinite(labels)).sum())
    if bad:
        raise TrainingError(f"The target of {bad} rows in the channel {name} is missing or not finite: expected a number. Correct the labels.")
    if kind == "binary" and not np.isin(labels, (0, 1)).all():
        raise TrainingError(f"The binary target of the channel {name} has values other than 0 and 1. Correct the labels.")
    return labels


def columns_of(table: pa.Table, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Raw values by feature: lists of text, arrays of numbers with NaN for null."""
    columns: dict[str, Any] = {}
    for feature in features:
        column = table.column(feature["name"])
        is_number = not encoding.is_text(feature) and pa.types.is_floating(column.type)
        columns[feature["name"]] = column.to_numpy() if is_number else column.to_pylist()
    return columns


def golden_rows(
    names: list[str], raw: Mapping[str, Any], rows: npt.NDArray[np.float32], margins: npt.NDArray[np.float32], count: int
) -> dict[str, Any]:
    """Rows from the lowest to the highest score of the holdout: every other evaluator of the model must reproduce them bit for bit."""
    order = np.argsort(margins, kind="stable")
    picked = order[np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).astype(int))]
    return {
        "features": names,
        "rows": [[plain(value) for value in row] for row in rows[picked]],
        "raw": [[plain(raw[name][row]) for name in names] for row in picked],
        "margins": [float(margin) for margin in margins[picked]],
    }


def plain(value: Any) -> str | float | bool | None:
    """A value for JSON; NaN becomes null."""
    if value is None or isinstance(value, (str, bool)):
        return value
    return None if np.isnan(value) else float(value)


def write_holdout(
    file: Path,
    table: pa.Table,
    holdout: Part,
    margins: npt.NDArray[np.float32],
    predictions: npt.NDArray[np.float32],
    names: list[str],
    seed: int,
) -> None:
    """Encoded rows, each value as the shortest text that gives the float32 back."""
    rows = np.arange(len(holdout.labels))
    if len(rows) > HOLDOUT_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, HOLDOUT_ROWS, replace=False))
    keys = table.column("key").to_pylist()
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["key", "label", "margin", "prediction", *names])
        for row in rows:
            cells = [shortest(value) for value in (margins[row], predictions[row], *holdout.rows[row])]
            writer.writerow([keys[row], f"{holdout.labels[row]:.17g}", *cells])


def shortest(value: np.float32) -> str:
    return "" if np.isnan(value) else str(value)


def draw(output: Path, document: Mapping[str, Any], labels: Any, scores: Any, gains: Mapping[str, float]) -> None:
    target, name = document["target"], document["name"]
    is_binary = target["kind"] == "binary"
    low, high = (0.0, 1.0) if is_binary else (float(target["minimum"]), float(target["maximum"]))
    drawn = {
        "calibration.svg": pictures.calibration_picture(labels, scores, f"{name}: calibration"),
        "importance.svg": pictures.importance_picture(gains, f"{name}: feature importance"),
        "scores.svg": pictures.scores_picture(labels, scores, f"{name}: score distribution", is_binary, low, high),
    }
    # Ranking needs a classifier, and rows of both classes.
    if is_binary and len(np.unique(labels)) == 2:
        drawn["roc.svg"] = pictures.roc_picture(labels, scores, f"{name}: ROC curve")
    for file, content in drawn.items():
        (output / file).write_text(content, encoding="utf-8")


def write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, allow_nan=False, ensure_ascii=False), encoding="utf-8")


def run(arguments: Sequence[str]) -> int:
    """Trains; a failure is reported on stderr and in /opt/ml/output/failure, whose text SageMaker shows as FailureReason."""
    try:
        main(arguments)
        return 0
    except (TrainingError, encoding.EncodingError, xgb.core.XGBoostError, pa.ArrowException, OSError) as error:
        message = " ".join(str(error).split())
        output = Path(os.environ.get("SM_OUTPUT_DIR") or Path(os.environ.get("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data")).parent)
        output.mkdir(parents=True, exist_ok=True)
        (output / "failure").write_text(message, encoding="utf-8")
        print(message, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
