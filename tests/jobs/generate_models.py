"""Trains a small model of every kind and writes what the installed XGBoost predicts with it.

usage: generate_models.py FOLDER [CASE...]

Per case: CASE.json and CASE.ubj (the model), CASE.expected.json with float32 arrays in base64: rows (with missing values, ties at
thresholds, infinities, extremes), margins, predictions, and for the first rows pred_contribs and approx_contribs.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb

FEATURES = 6
TRAIN_ROWS = 500
CONTRIB_ROWS = 24
VERSION = [int(part) for part in xgb.__version__.split(".")[:2]]

# name: (parameters, rounds, kind of label, kind of features)
CASES = {
    "squarederror": (dict(objective="reg:squarederror"), 20, "real", "numeric"),
    "base-score": (dict(objective="reg:squarederror", base_score=-3.25), 9, "real", "numeric"),
    "pseudohuber": (dict(objective="reg:pseudohubererror"), 10, "real", "numeric"),
    "absoluteerror": (dict(objective="reg:absoluteerror"), 10, "real", "numeric"),
    "squaredlogerror": (dict(objective="reg:squaredlogerror"), 10, "positive", "numeric"),
    "logistic": (dict(objective="binary:logistic"), 20, "binary", "numeric"),
    "logistic-base-score": (dict(objective="binary:logistic", base_score=0.23), 8, "binary", "numeric"),
    "reg-logistic": (dict(objective="reg:logistic"), 10, "binary", "numeric"),
    "logitraw": (dict(objective="binary:logitraw"), 10, "binary", "numeric"),
    "hinge": (dict(objective="binary:hinge"), 10, "binary", "numeric"),
    "poisson": (dict(objective="count:poisson"), 10, "count", "numeric"),
    "gamma": (dict(objective="reg:gamma"), 10, "positive", "numeric"),
    "tweedie": (dict(objective="reg:tweedie", tweedie_variance_power=1.4), 10, "count", "numeric"),
    "cox": (dict(objective="survival:cox"), 10, "positive", "numeric"),
    "softprob": (dict(objective="multi:softprob", num_class=4), 10, "class", "numeric"),
    "softmax": (dict(objective="multi:softmax", num_class=4), 5, "class", "numeric"),
    "rank": (dict(objective="rank:pairwise"), 10, "binary", "numeric"),
    "dart": (dict(objective="binary:logistic", booster="dart", rate_drop=0.4), 20, "binary", "numeric"),
    "dart-softprob": (dict(objective="multi:softprob", num_class=3, booster="dart", rate_drop=0.3), 8, "class", "numeric"),
    "forest": (dict(objective="binary:logistic", num_parallel_tree=3, subsample=0.6), 5, "binary", "numeric"),
    "exact": (dict(objective="reg:squarederror", tree_method="exact", max_depth=7), 30, "real", "numeric"),
    "deep": (dict(objective="reg:squarederror", max_depth=14, min_child_weight=0), 12, "real", "numeric"),
    "leafwise": (dict(objective="binary:logistic", grow_policy="lossguide", max_leaves=24, max_depth=0), 9, "binary", "numeric"),
    "stumps": (dict(objective="binary:logistic", max_depth=1), 17, "binary", "numeric"),
    "leaves-only": (dict(objective="binary:logistic", gamma=1e9), 3, "binary", "numeric"),
    "categorical": (dict(objective="binary:logistic", max_cat_to_onehot=1), 20, "binary", "categorical"),
    "one-hot": (dict(objective="reg:squarederror", max_cat_to_onehot=100), 20, "real", "categorical"),
    "categorical-deep": (dict(objective="reg:squarederror", max_cat_to_onehot=5, max_depth=12), 9, "real", "categorical"),
    "names": (dict(objective="binary:logistic"), 4, "binary", "names"),
}
if VERSION >= [2, 0]:
    CASES["quantiles"] = (dict(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]), 8, "real", "numeric")
    CASES["targets"] = (dict(objective="reg:squarederror"), 8, "two", "numeric")


def features(rng, kind):
    columns = [
        rng.normal(size=TRAIN_ROWS),
        rng.lognormal(size=TRAIN_ROWS) * 1e4,
        rng.integers(0, 3, TRAIN_ROWS),
        rng.integers(-4, 5, TRAIN_ROWS),
        rng.random(TRAIN_ROWS) < 0.3,
        rng.normal(size=TRAIN_ROWS) * 1e-6,
    ]
    if kind == "categorical":
        columns[2] = rng.integers(0, 40, TRAIN_ROWS)
        columns[3] = rng.integers(0, 9, TRAIN_ROWS)
    rows = np.stack(columns, 1).astype(np.float32)
    rows[rng.random(rows.shape) < 0.08] = np.nan
    return rows


def labels(rng, rows, kind):
    known = np.nan_to_num(rows)
    signal = known[:, 0] + np.sin(known[:, 2]) + known[:, 3] * 0.3 + known[:, 4] + known[:, 5] * 1e6 * known[:, 0]
    signal = signal + 0.3 * rng.normal(size=len(rows))
    return {
        "real": lambda: signal * 10,
        "two": lambda: np.stack([signal, -signal * known[:, 0]], 1),
        "binary": lambda: signal > 0.5,
        "positive": lambda: np.exp(signal / 3),
        "count": lambda: rng.poisson(np.exp(np.clip(signal / 3, -3, 3))),
        "class": lambda: np.digitize(signal, [-0.5, 1.0]),
    }[kind]()


def test_rows(rng, rows, booster):
    """Rows like the training data, then some with values at, just below and just above thresholds, and extremes."""
    thresholds = [[] for _ in range(FEATURES)]
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    for tree in model.get("gbtree", model)["model"]["trees"]:
        for left, feature, condition in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left >= 0:
                thresholds[feature].append(condition)
    ties = rows[rng.integers(0, TRAIN_ROWS, 300)].copy()
    for feature, values in enumerate(thresholds):
        if values:
            at = np.asarray(rng.choice(values, len(ties)), np.float32)
            shift = rng.integers(-1, 2, len(ties))
            near = np.where(shift < 0, np.nextafter(at, np.float32(-np.inf)), np.where(shift > 0, np.nextafter(at, np.float32(np.inf)), at))
            ties[:, feature] = np.where(rng.random(len(ties)) < 0.7, near, ties[:, feature])
    largest = np.finfo(np.float32).max
    extremes = np.array([np.nan, np.inf, -np.inf, largest, -largest, 1e-45, -1e-45, 0.0, -0.0, 16777216, 0.5, -0.5, 1e9], np.float32)
    odd = extremes[rng.integers(0, len(extremes), (100, FEATURES))]
    return np.concatenate([rows[:200], ties, odd, np.full((1, FEATURES), np.nan, np.float32)]).astype(np.float32)


def encode(values):
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


def generate(folder, name):
    parameters, rounds, label, kind = CASES[name]
    rng = np.random.default_rng(sorted(CASES).index(name) if VERSION >= [3, 0] else 1)
    rows = features(rng, kind)
    types = ["q", "q", "c", "c", "q", "q"] if kind == "categorical" else None
    names = ["amount", "größe", "na\"me", "a b", "e", "f"] if kind == "names" else None
    options = dict(feature_types=types, feature_names=names, enable_categorical=kind == "categorical")
    train = xgb.DMatrix(rows, label=np.asarray(labels(rng, rows, label), np.float32), **options)
    if name == "rank":
        train.set_group([50] * 10)
    base = dict(max_depth=4, eta=0.3, seed=1, nthread=1, tree_method="hist")
    booster = xgb.train({**base, **parameters}, train, rounds)
    booster.save_model(folder / f"{name}.json")
    booster.save_model(folder / f"{name}.ubj")
    tests = test_rows(rng, rows, booster)
    if parameters.get("booster") == "dart":
        # Of a dart model XGBoost's predict and inplace_predict disagree in the last bits; the former is the reference.
        tests = np.nan_to_num(tests, nan=np.nan)
        matrix = xgb.DMatrix(tests, **options)
        margins, predictions = booster.predict(matrix, output_margin=True), booster.predict(matrix)
    else:
        # A DMatrix refuses infinities; prediction in place does not.
        margins = booster.inplace_predict(tests, predict_type="margin", validate_features=False)
        predictions = booster.inplace_predict(tests, predict_type="value", validate_features=False)
    few = xgb.DMatrix(tests[:CONTRIB_ROWS], **options)
    expected = dict(
        version=xgb.__version__,
        count=len(tests),
        rows=encode(tests),
        margins=encode(margins),
        predictions=encode(predictions),
        contributions=encode(booster.predict(few, pred_contribs=True)),
        path=encode(booster.predict(few, pred_contribs=True, approx_contribs=True)),
    )
    (folder / f"{name}.expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[2:] or CASES:
        generate(target, case)
    print(f"xgboost {xgb.__version__}")
