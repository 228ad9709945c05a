import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost as xgb
from conftest import FEATURES, document, require_conforming

import boosting
import encoding
import inference
import metrics
import train

HYPERPARAMETERS = {
    "dataset": "fraud",
    "model_name": "fraud-20260301-0a1b2c3d",
    "objective": "binary:logistic",
    "rounds": "120",
    "max_depth": "3",
    "learning_rate": "0.2",
    "subsample": "0.8",
    "colsample_bytree": "0.8",
    "min_child_weight": "1",
    "reg_lambda": "1",
    "early_stopping_rounds": "15",
    "seed": "7",
    "golden_rows": "16",
    # As the training toolkit passes {"amount": 1} on.
    "monotone": "amount=1",
}


def rows(count: int, seed: int, countries: list[str], regression: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    amount = np.where(rng.random(count) < 0.1, np.nan, rng.lognormal(3, 1, count))
    flag = (rng.random(count) < 0.3).astype(float)
    country = rng.choice(countries, count)
    signal = np.nan_to_num(np.log(amount), nan=3) - 3 + flag + (country == countries[0]) * 1.5
    label = np.clip(signal * 12 + 30 + rng.normal(0, 5, count), 0, 100) if regression else (signal + rng.normal(0, 0.7, count) > 1.5)
    return pa.table(
        {
            "key": [f"k{seed}-{row}" for row in range(count)],
            "event_time": pa.array(range(count), pa.timestamp("us", "UTC")),
            "label": pa.array(label.astype(float)),
            "amount": pa.array(amount, from_pandas=True),
            "flag": flag,
            "category": pa.array(rng.integers(0, 2, count).astype(float)),
            "country": pa.array([None if rng.random() < 0.05 else str(value) for value in country]),
        }
    )


class Container:
    """The folders of a training container."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        for variable, path in {
            "SM_MODEL_DIR": "model",
            "SM_OUTPUT_DIR": "output",
            "SM_OUTPUT_DATA_DIR": "output/data",
            "SM_CHECKPOINT_DIR": "checkpoints",
            **{f"SM_CHANNEL_{name.upper()}": f"input/data/{name}" for name in ("train", "validation", "holdout", "config")},
        }.items():
            monkeypatch.setenv(variable, str(root / path))
        monkeypatch.setenv("SM_NUM_CPUS", "2")
        self.write_document(document())
        for name, count, seed in (("train", 1500, 1), ("validation", 300, 2), ("holdout", 400, 3)):
            self.write_split(name, rows(count, seed, ["DE", "FR", "US"]))

    def write_document(self, content: dict[str, Any]) -> None:
        file = self.root / "input/data/config/fraud.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))

    def write_split(self, name: str, table: pa.Table) -> None:
        folder = self.root / "input/data" / name
        folder.mkdir(parents=True, exist_ok=True)
        half = table.num_rows // 2
        # Two files, read in the order of their names.
        pq.write_table(table.slice(0, half), folder / "part-00000.parquet")
        pq.write_table(table.slice(half), folder / "part-00001.parquet")

    def train(self, **changes: str) -> int:
        given = HYPERPARAMETERS | changes
        return train.run([text for name, value in sorted(given.items()) for text in (f"--{name}", value)])

    def json(self, name: str) -> Any:
        return json.loads((self.root / "model" / name).read_text())

    @property
    def failure(self) -> str:
        return (self.root / "output/failure").read_text()


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    return Container(tmp_path, monkeypatch)


@pytest.fixture
def new_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Container]:
    return lambda name: Container(tmp_path / name, monkeypatch)


def test_training_writes_everything_that_scoring_and_evaluation_need(container: Container) -> None:
    assert container.train() == 0
    found = container.json("metrics.json")
    assert found["auc"] > 0.85
    assert found["rows"] == {"train": 1500, "validation": 300, "holdout": 400}
    assert found["seed"] == 7 and found["xgboost"] == xgb.__version__
    booster = xgb.Booster(model_file=str(container.root / "model/model.ubj"))
    assert booster.num_boosted_rounds() == found["bestIteration"] + 1
    assert booster.feature_names == [feature["name"] for feature in FEATURES]

    golden = require_conforming("golden", container.json("golden.json"))
    assert golden["features"] == ["amount", "flag", "category", "country"]
    encoded = np.array([[np.nan if value is None else value for value in row] for row in golden["rows"]], np.float32)
    margins = booster.inplace_predict(encoded, predict_type="margin")
    assert [float(margin) for margin in margins] == golden["margins"]
    assert golden["margins"] == sorted(golden["margins"])
    spec = container.json("feature-spec.json")
    np.testing.assert_array_equal(encoding.encode(spec, encoding.columns_of(spec, golden["raw"])), encoded)

    baseline = require_conforming("baseline", container.json("baseline.json"))
    assert len(baseline["prediction"]["edges"]) == len(baseline["prediction"]["counts"]) + 1
    assert sum(baseline["prediction"]["counts"]) == 400
    amount = baseline["features"]["amount"]
    assert len(amount["edges"]) == len(amount["counts"])
    assert sum(amount["counts"]) == 1500 and amount["counts"][-1] > 0
    country = baseline["features"]["country"]
    assert sum(country["counts"].values()) + country["missing"] == 1500
    assert set(baseline["features"]["category"]["counts"]) == {"grocery", "travel"}
    assert set(container.json("importance.json")) <= {"amount", "flag", "category", "country"}
    assert sorted(path.name for path in (container.root / "model/code").iterdir()) == ["encoding.py", "inference.py"]
    output = container.root / "output/data"
    assert sorted(path.name for path in output.iterdir()) == ["calibration.svg", "holdout.csv", "importance.svg", "roc.svg", "scores.svg"]


def test_the_holdout_file_preserves_every_bit(container: Container) -> None:
    container.train()
    header, *lines = (container.root / "output/data/holdout.csv").read_text().splitlines()
    assert header == "key,label,margin,prediction,amount,flag,category,country"
    cells = [line.split(",") for line in lines]
    values = np.array([[np.nan if cell == "" else np.float32(cell) for cell in row[4:]] for row in cells], np.float32)
    booster = xgb.Booster(model_file=str(container.root / "model/model.ubj"))
    margins = booster.inplace_predict(values, predict_type="margin", validate_features=False)
    np.testing.assert_array_equal(np.array([np.float32(row[2]) for row in cells]), margins)


def test_the_same_rows_give_the_same_files(new_container: Callable[[str], Container]) -> None:
    files = ("model.ubj", "feature-spec.json", "metrics.json", "baseline.json", "golden.json")
    contents = []
    for name in ("one", "two"):
        container = new_container(name)
        assert container.train() == 0
        contents.append([(container.root / "model" / file).read_bytes() for file in files])
    assert contents[0] == contents[1]


def test_categories_come_from_the_training_split_alone(container: Container) -> None:
    container.write_split("validation", rows(300, 2, ["DE", "FR", "IT"]))
    container.write_split("holdout", rows(400, 3, ["DE", "FR", "JP"]))
    assert container.train() == 0
    assert container.json("feature-spec.json")["features"][3]["categories"] == ["DE", "FR", "US"]


def test_an_interrupted_training_continues_and_gives_the_same_model(
    new_container: Callable[[str], Container], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"early_stopping_rounds": "0", "subsample": "0.5", "colsample_bytree": "0.5"}
    whole = new_container("whole")
    assert whole.train(**changes) == 0
    expected = (whole.root / "model/model.ubj").read_bytes()

    cut = new_container("cut")
    original = boosting._save

    def interrupted(booster: xgb.Booster, progress: boosting.Progress, folder: Path, signature: str) -> Path:
        original(booster, progress, folder, signature)
        raise KeyboardInterrupt

    monkeypatch.setattr(boosting, "_save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cut.train(**changes)
    monkeypatch.setattr(boosting, "_save", original)
    assert cut.train(**changes) == 0
    assert "continuing after 50 rounds" in capsys.readouterr().out
    assert (cut.root / "model/model.ubj").read_bytes() == expected


def test_a_checkpoint_of_other_parameters_is_not_continued(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    container.train(rounds="60", early_stopping_rounds="0")
    container.train(rounds="60", early_stopping_rounds="0", seed="8")
    assert "starting from scratch" in capsys.readouterr().out


def test_monotone_constraints_hold(container: Container) -> None:
    container.train()
    booster = xgb.Booster(model_file=str(container.root / "model/model.ubj"))
    ladder = np.column_stack([np.geomspace(0.1, 1e4, 200), np.zeros(200), np.zeros(200), np.zeros(200)]).astype(np.float32)
    assert (np.diff(booster.inplace_predict(ladder, predict_type="margin", validate_features=False)) >= 0).all()


def test_a_regression_stays_on_its_scale(container: Container) -> None:
    container.write_document(document(target={"name": "score", "kind": "regression", "minimum": 0, "maximum": 100}))
    for name, count, seed in (("train", 1500, 1), ("validation", 300, 2), ("holdout", 400, 3)):
        container.write_split(name, rows(count, seed, ["DE", "FR", "US"], regression=True))
    assert container.train(objective="reg:squarederror") == 0
    assert container.json("metrics.json")["rmse"] < 10
    output = container.root / "output/data"
    assert not (output / "roc.svg").exists() and (output / "calibration.svg").exists()
    model = inference.model_fn(str(container.root / "model"))
    scores = inference.predict_fn([[1e6, 1, 0, "DE"], [1e-6, 0, 0, "US"]], model)
    assert scores.min() >= 0 and scores.max() <= 100


def test_no_validation_rows_mean_no_early_stopping(container: Container) -> None:
    for file in (container.root / "input/data/validation").iterdir():
        file.unlink()
    assert container.train(rounds="30") == 0
    assert container.json("metrics.json")["bestIteration"] == 29


def one_class(table: pa.Table) -> pa.Table:
    return table.set_column(2, "label", pa.array([0.0] * table.num_rows))


def with_nan(table: pa.Table) -> pa.Table:
    return table.set_column(2, "label", pa.array([float("nan"), *[1.0] * (table.num_rows - 1)]))


@pytest.mark.parametrize(
    ("split", "change", "message"),
    [
        ("train", one_class, "Every label of the training split is 0"),
        ("train", with_nan, "The target of 1 rows in the channel train is missing or not finite"),
        ("holdout", lambda table: table.drop_columns(["country"]), "The channel holdout lacks the column country"),
        ("train", lambda table: table.slice(0, 0), "The channel train is empty"),
    ],
)
def test_bad_rows_are_reported_in_the_failure_file(
    container: Container, split: str, change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    container.write_split(split, change(rows(400, 3, ["DE", "FR", "US"])))
    assert container.train() == 1
    assert message in container.failure
    assert not (container.root / "model/model.ubj").exists()


def test_an_unknown_hyperparameter_is_refused(container: Container) -> None:
    assert container.train(gama="1") == 1
    assert "--gama" in container.failure


def test_a_constraint_on_an_unknown_feature_is_refused(container: Container) -> None:
    assert container.train(monotone='{"amuont": 1}') == 1
    assert "amuont" in container.failure


def test_ranking_counts_ties_half() -> None:
    labels = np.array([0, 0, 1, 1, 0, 1.0])
    scores = np.array([0.1, 0.5, 0.5, 0.9, 0.9, 0.9])
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels == 1] for n in scores[labels == 0]]
    assert metrics.auc(labels, scores) == pytest.approx(np.mean(pairs))
