import json
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from conftest import FEATURES

import encoding
import inference


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    rng = np.random.default_rng(3)
    rows = rng.random((200, 4)).astype(np.float32)
    rows[:, 2:] = rng.integers(0, 2, (200, 2))
    matrix = xgb.DMatrix(rows, label=rows[:, 0] > 0.5, feature_names=[feature["name"] for feature in FEATURES])
    xgb.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5).save_model(folder / "model.ubj")
    spec = encoding.fit(FEATURES, {"country": ["DE", "FR"]})
    (folder / "feature-spec.json").write_text(json.dumps(spec))
    (folder / "metrics.json").write_text(json.dumps({"target": {"name": "label", "kind": "binary"}}))
    return folder


def answer(model_dir: Path, body: str | bytes, content_type: str, accept: str = "text/csv") -> str:
    model = inference.model_fn(str(model_dir))
    result = inference.output_fn(inference.predict_fn(inference.input_fn(body, content_type), model), accept)
    return result[0] if isinstance(result, tuple) else result


def test_csv_and_json_score_alike(model_dir: Path) -> None:
    as_csv = answer(model_dir, '0.7,true,travel,"DE"\n0.2,,1,\n,0,,"a, ""b"""\n', "text/csv; charset=utf-8")
    rows = [[0.7, True, "travel", "DE"], [0.2, None, 1, None], [None, 0, None, 'a, "b"']]
    as_json = answer(model_dir, json.dumps({"instances": rows}).encode(), "application/json", "application/json")
    assert [float(line) for line in as_csv.splitlines()] == json.loads(as_json)["predictions"]
    by_name = [dict(zip(["amount", "flag", "category", "country"], row)) for row in rows]
    assert answer(model_dir, json.dumps(by_name), "application/json") == as_csv


def test_a_score_is_the_double_that_equals_the_float32(model_dir: Path) -> None:
    score = float(answer(model_dir, "0.7,1,1,DE\n", "text/csv"))
    assert float(np.float32(score)) == score


def test_one_line_gives_one_line(model_dir: Path) -> None:
    assert answer(model_dir, "", "text/csv") == ""
    assert len(answer(model_dir, "0.1,0,0,DE", "text/csv").splitlines()) == 1


def test_other_content_types_are_refused(model_dir: Path) -> None:
    with pytest.raises(ValueError, match="send text/csv or application/json"):
        answer(model_dir, "<row/>", "text/xml")


def test_words_for_numbers_are_refused_by_name(model_dir: Path) -> None:
    with pytest.raises(encoding.EncodingError, match='"amount" is "much"'):
        answer(model_dir, "much,0,0,DE\n", "text/csv")
