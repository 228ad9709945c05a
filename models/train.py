"""Trains the models that ship with the platform.

    train.py train DATA OUT [NAME …]    DATA holds <profile>-{train,validation,holdout}.csv, made by cli/training/training-data.ts;
                                        OUT gets <name>.json (XGBoost's own format), metrics.json and <profile>.golden.json
    train.py cross-validate CSV         five folds of one file with the churn model's settings; prints the metrics
    train.py score MODEL CSV            metrics of a trained model (<name>.json) on the rows of a file

One thread and a fixed seed: the same rows give the same model on the same machine. Needs the environment of
packages/local-aws/python/requirements.txt.
"""

import json
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb

SEED = 7

# More of these never makes fraud less likely; without the constraint a handful of rows in a corner would say so.
FRAUD_RISES_WITH = [
    "location_mismatch",
    "velocity_flag",
    "count_1m",
    "count_5m",
    "impossible_travel",
    "new_country",
    "new_category",
    "new_device",
]
FRAUD_CONSTRAINTS = {**{name: 1 for name in FRAUD_RISES_WITH}, "card_present": -1}
CHURN_CONSTRAINTS = {"active": -1, "products_three_plus": 1}

# No reweighting of the rare class: it would spoil the probabilities, which are combined with rules as probabilities.
COMMON = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_bin": 128,
    "seed": SEED,
    "nthread": 1,
}
MODELS = {
    "fraud-trees-1": dict(
        profile="fraud",
        rounds=300,
        constraints=FRAUD_CONSTRAINTS,
        parameters=dict(max_depth=4, eta=0.12, min_child_weight=1, subsample=0.8, colsample_bytree=0.7, reg_lambda=4),
    ),
    "fraud-trees-2": dict(
        profile="fraud",
        rounds=450,
        constraints=FRAUD_CONSTRAINTS,
        parameters=dict(max_depth=6, eta=0.05, min_child_weight=2, subsample=0.9, colsample_bytree=0.8, reg_lambda=4, gamma=0.5),
    ),
    "churn-trees-1": dict(
        profile="churn",
        rounds=400,
        constraints=CHURN_CONSTRAINTS,
        parameters=dict(max_depth=4, eta=0.06, min_child_weight=6, subsample=0.8, colsample_bytree=0.7, reg_lambda=4),
    ),
}
PATIENCE = 30
GOLDEN_ROWS = 16


def read(file):
    with open(file, encoding="utf-8") as lines:
        header = lines.readline().strip().split(",")
        values = np.loadtxt(lines, delimiter=",", usecols=range(1, len(header)), dtype=np.float64, ndmin=2)
    # XGBoost keeps float32; casting here shows that the platform casts the same doubles.
    return header[1:-1], values[:, :-1].astype(np.float32), values[:, -1]


def metrics(labels, probabilities):
    """Ranking (AUC, PR-AUC) and probability (Brier, logloss, mean) of predictions; ties count half, as they should."""
    order = np.argsort(-probabilities, kind="stable")
    sorted_labels, sorted_p = labels[order], probabilities[order]
    last = np.append(np.flatnonzero(np.diff(sorted_p)), len(sorted_p) - 1)
    hits = np.cumsum(sorted_labels)[last]
    misses = last + 1 - hits
    hit_rate, miss_rate = hits / hits[-1], misses / misses[-1]
    clipped = np.clip(probabilities.astype(np.float64), 1e-15, 1 - 1e-15)
    return dict(
        auc=rounded(np.trapezoid(np.append(0, hit_rate), np.append(0, miss_rate))),
        prAuc=rounded(np.sum(np.diff(np.append(0, hit_rate)) * hits / (last + 1))),
        brier=rounded(np.mean((probabilities - labels) ** 2)),
        logloss=rounded(-np.mean(np.where(labels == 1, np.log(clipped), np.log(1 - clipped)))),
        meanPredicted=rounded(np.mean(probabilities)),
        meanObserved=rounded(np.mean(labels)),
    )


def rounded(value):
    return round(float(value), 5)


def fit(settings, names, train, validation):
    constraints = {name: sign for name, sign in settings["constraints"].items() if name in names}
    parameters = {**COMMON, **settings["parameters"], "monotone_constraints": constraints}
    train, validation = (xgb.DMatrix(rows, label=labels, feature_names=names) for rows, labels in (train, validation))
    booster = xgb.train(
        parameters,
        train,
        settings["rounds"],
        evals=[(validation, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    # Rounds after the best one are dropped, so that whoever reads the file needs not know of early stopping.
    return booster[: booster.best_iteration + 1]


def predict(booster, names, rows, margin=False):
    return booster.predict(xgb.DMatrix(rows, feature_names=names), output_margin=margin)


def train(data, out, chosen):
    out.mkdir(parents=True, exist_ok=True)
    report, golden = {}, {}
    for name, settings in MODELS.items():
        if chosen and name not in chosen:
            continue
        profile = settings["profile"]
        splits = {split: read(data / f"{profile}-{split}.csv") for split in ("train", "validation", "holdout")}
        names = splits["train"][0]
        booster = fit(settings, names, splits["train"][1:], splits["validation"][1:])
        booster.save_model(out / f"{name}.json")
        _, rows, labels = splits["holdout"]
        probabilities = predict(booster, names, rows)
        report[name] = dict(
            profile=profile,
            **metrics(labels, probabilities),
            rows={split: len(values[2]) for split, values in splits.items()},
            positives={split: int(values[2].sum()) for split, values in splits.items()},
            seed=SEED,
            xgboost=xgb.__version__,
        )
        entry = golden.setdefault(profile, dict(profile=profile, features=names, rows=None, margins={}))
        if entry["rows"] is None:
            # From the least to the most suspicious row of the holdout.
            order = np.argsort(probabilities, kind="stable")
            picked = rows[order[np.linspace(0, len(order) - 1, GOLDEN_ROWS).astype(int)]]
            entry["rows"] = [[None if np.isnan(value) else float(value) for value in row] for row in picked]
        picked = np.array([[np.nan if value is None else value for value in row] for row in entry["rows"]], np.float32)
        entry["margins"][name] = [float(value) for value in predict(booster, names, picked, margin=True)]
        print(f"{name}: {booster.num_boosted_rounds()} trees, {json.dumps(report[name])}", flush=True)
    (out / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    for profile, entry in golden.items():
        (out / f"{profile}.golden.json").write_text(json.dumps(entry) + "\n")


def cross_validate(file):
    names, rows, labels = read(file)
    fold = np.random.default_rng(SEED).permutation(len(labels)) % 5
    folds, everyone = [], np.zeros(len(labels))
    for held_out in range(5):
        test, validation = fold == held_out, fold == (held_out + 1) % 5
        rest = ~test & ~validation
        booster = fit(MODELS["churn-trees-1"], names, (rows[rest], labels[rest]), (rows[validation], labels[validation]))
        everyone[test] = predict(booster, names, rows[test])
        folds.append(metrics(labels[test], everyone[test]))
        print(f"fold {held_out + 1}: {json.dumps(folds[-1])}")
    mean = {name: rounded(np.mean([fold[name] for fold in folds])) for name in folds[0]}
    print(f"mean of five folds, {len(labels)} rows: {json.dumps(mean)}")


def score(model, file):
    booster = xgb.Booster(model_file=model)
    names, rows, labels = read(file)
    print(json.dumps(metrics(labels, predict(booster, names, rows))))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["train", data, out, *chosen]:
            train(Path(data), Path(out), chosen)
        case ["cross-validate", file]:
            cross_validate(file)
        case ["score", model, file]:
            score(model, file)
        case _:
            sys.exit(__doc__)
