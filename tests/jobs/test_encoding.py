import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import encoded, numeric, ordinal

import encoding

CASES = Path(__file__).parent / "fixtures" / "feature-spec-cases.json"


def test_categories_are_fitted_by_code_point_on_the_given_rows_alone() -> None:
    features = [ordinal("country"), numeric("amount"), encoded("category", ["a", "b"])]
    spec = encoding.fit(features, {"country": ["é", "Z", None, "a", "", "a", "\U0001f600", "\uffee"], "amount": [], "category": []})
    assert spec["features"][0]["categories"] == ["Z", "a", "é", "\uffee", "\U0001f600"]
    assert spec["features"][1:] == features[1:]


def test_values_that_training_did_not_see_are_unknown() -> None:
    for unknown, expected in ((None, np.nan), (-1, -1.0)):
        spec = encoding.fit([ordinal("country", unknown=unknown)], {"country": ["DE", "FR"]})
        rows = encoding.encode(spec, {"country": ["FR", "US", None]})
        np.testing.assert_array_equal(rows[:, 0], np.array([1, expected, np.nan], np.float32))


def test_a_default_stands_for_a_missing_value_before_it_is_encoded() -> None:
    spec = encoding.fit([ordinal("country", default="FR"), numeric("amount", default=7)], {"country": ["DE", "FR"], "amount": []})
    rows = encoding.encode(spec, {"country": [None, ""], "amount": ["", "inf"]})
    np.testing.assert_array_equal(rows, np.array([[1, 7], [1, 7]], np.float32))


def test_arrays_and_lists_are_encoded_alike() -> None:
    values = [1.5, float("nan"), 1e39, -1e39, 0.1, 5e-324]
    as_list = encoding.encode_column(numeric("amount"), values)
    np.testing.assert_array_equal(encoding.encode_column(numeric("amount"), np.array(values)), as_list)
    np.testing.assert_array_equal(as_list, np.array([1.5, np.nan, np.nan, np.nan, 0.1, 0], np.float32))


def test_words_in_a_column_of_numbers_name_the_feature() -> None:
    with pytest.raises(encoding.EncodingError, match='"amount" is "much"; a number'):
        encoding.encode_column(numeric("amount"), ["much"])


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(encoding.EncodingError, match="Row 2 has 1 values where 2 were expected: a, b"):
        encoding.columns_of({"features": [numeric("a"), numeric("b")]}, [[1, 2], [3]])


CONTENT = json.loads(CASES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CONTENT["cases"], ids=lambda case: case["name"])
def test_python_encodes_as_real_time_does(case: dict[str, Any]) -> None:
    """The cases hold what the TypeScript encoder gives."""
    spec = CONTENT["spec"]
    columns = {name: [case["raw"].get(name)] for name in encoding.names_of(spec)}
    expected = [np.nan if value is None else value for value in case["expected"]]
    np.testing.assert_array_equal(encoding.encode(spec, columns), np.array([expected], np.float32))
