"""The pictures are well-formed SVG that says what it shows, whatever the model is like."""

from xml.etree import ElementTree

import numpy as np
import pytest

import pictures
from baseline import histogram

RNG = np.random.default_rng(5)
SCORES = np.concatenate([RNG.beta(1, 8, 900), RNG.beta(4, 3, 100)])
LABELS = np.concatenate([np.zeros(900), np.ones(100)])
ONE = np.full(50, 0.25)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def coordinates(svg: str) -> list[float]:
    root = ElementTree.fromstring(svg)
    points = [element.get("points", "") for element in root.iter() if element.get("points")]
    return [float(value) for text in points for pair in text.split() for value in pair.split(",")]


def test_the_roc_curve_names_its_axes_and_its_area() -> None:
    found = texts(pictures.roc_picture(LABELS, SCORES, "fraud: ROC curve"))
    assert {"fraud: ROC curve", "False positive rate", "True positive rate", "0.2", "1"} <= set(found)
    assert any(text.startswith("AUC 0.9") for text in found)


@pytest.mark.parametrize("is_binary", [True, False])
@pytest.mark.parametrize(("labels", "scores"), [(LABELS, SCORES), (np.zeros(50), ONE), (np.ones(1), np.array([1.0]))])
def test_everything_stays_inside_the_picture(labels: np.ndarray, scores: np.ndarray, is_binary: bool) -> None:
    drawn = [
        pictures.calibration_picture(labels, scores, "calibration"),
        pictures.scores_picture(labels, scores, "scores", is_binary, 0.0, 1.0),
    ]
    for svg in drawn:
        values = coordinates(svg)
        assert all(np.isfinite(values)) and min(values) >= 0 and max(values) <= pictures.WIDTH
        assert "nan" not in svg


def test_importance_is_ranked_and_names_are_escaped() -> None:
    gains = {f"feature_{number}": float(number) for number in range(1, 31)} | {"<amount> & more than twenty-eight characters": 1000.0}
    found = texts(pictures.importance_picture(gains, "importance"))
    assert found.index("<amount> & more than twenty…") < found.index("feature_30") < found.index("feature_29")
    assert "feature_1" not in found and "20 of 31 features that the trees split on" in found
    assert texts(pictures.importance_picture({}, "importance"))[1] == "no tree splits on anything"


def test_axes_have_round_numbers() -> None:
    assert pictures.Axis(0, 0.37, "", 0, 1).ticks() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert pictures.Axis(-3, 96, "", 0, 1).ticks() == pytest.approx([0, 20, 40, 60, 80])
    assert [pictures.nice(value) for value in (0.37, 96, 0, 1)] == pytest.approx([0.4, 100, 1, 1])


def test_a_histogram_counts_every_value() -> None:
    for values in (SCORES, ONE, np.array([1.0, np.nan, 2.0]), np.array([np.nan])):
        edges, counts = histogram(values)
        assert len(edges) == len(counts) + 1 >= 2
        assert sum(counts) == np.isfinite(values).sum()
        assert edges == sorted(set(edges))
