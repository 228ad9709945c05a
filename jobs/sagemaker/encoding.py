"""Raw values → a model's rows, by the feature spec that travels with it. The definition is functions/scoring/models/feature-encoder.ts;
the cases in tests/jobs/fixtures/feature-spec-cases.json check both.

A missing value (null, empty text, or a number that float32 can't hold) is replaced by the feature's default, which is encoded like any
value; without a default it is NaN. Numbers may be text; `true` and `false` are 1 and 0; a text that is not listed is `unknown`."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Spec = Mapping[str, Any]
Raw = str | float | int | bool | None
Rows = npt.NDArray[np.float32]

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WORDS = {"true": 1.0, "false": 0.0} | dict.fromkeys(
    ["nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"], float("nan")
)
# Integers that a double holds exactly.
EXACT = 2**53 - 1


class EncodingError(ValueError):
    """Names the feature, what was expected and the fix."""


def is_text(feature: Mapping[str, Any]) -> bool:
    return feature["type"] == "categorical" and feature["encoder"] == "ordinal"


def names_of(spec: Spec) -> list[str]:
    return [feature["name"] for feature in spec["features"]]


def fit(features: Sequence[Mapping[str, Any]], columns: Mapping[str, Sequence[Raw]]) -> dict[str, Any]:
    """The dataset's features with the categories of every text column filled in: its distinct values by code point.

    columns: only those of the training split, so that validation and holdout meet unknown values as production will."""
    return {"version": 1, "features": [_fitted(feature, columns) for feature in features]}


def _fitted(feature: Mapping[str, Any], columns: Mapping[str, Sequence[Raw]]) -> dict[str, Any]:
    if not is_text(feature) or feature["categories"] is not None:
        return dict(feature)
    texts = {text for value in set(columns[feature["name"]]) if (text := _text(feature["name"], value)) is not None}
    return {**feature, "categories": sorted(texts)}


def encode(spec: Spec, columns: Mapping[str, Sequence[Raw]]) -> Rows:
    """Columns of raw values by name → float32 rows in the spec's order. Raises EncodingError for a missing column."""
    encoded = []
    for feature in spec["features"]:
        if feature["name"] not in columns:
            raise EncodingError(f"Column {feature['name']} is missing: expected one per feature of the model. Restore it in the extract.")
        encoded.append(encode_column(feature, columns[feature["name"]]))
    return np.column_stack(encoded) if encoded else np.empty((0, 0), np.float32)


def encode_column(feature: Mapping[str, Any], values: Sequence[Raw] | npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A value occurs many times in a text column, so each distinct one is encoded only once."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub" and feature["type"] != "categorical":
        return _defaulted(values.astype(np.float64), feature["default"])
    encode_value = _encoder(feature)
    codes: dict[tuple[type, Raw], float] = {}
    result = np.empty(len(values), np.float32)
    for row, value in enumerate(values):
        key = (type(value), value)
        code = codes.get(key)
        if code is None:
            code = codes[key] = encode_value(value)
        result[row] = code
    return result


def _encoder(feature: Mapping[str, Any]) -> Any:
    name, default = feature["name"], feature["default"]
    if feature["type"] != "categorical":
        missing = float("nan") if default is None else float(default)
        return lambda value: missing if np.isnan(number := _number(name, value)) else number
    codes = {text: float(code) for code, text in enumerate(feature["categories"])}
    if feature["encoder"] == "encoded":
        return lambda value: _index(name, value, codes, float("nan") if default is None else float(default))
    unknown = float("nan") if feature["unknown"] is None else float(feature["unknown"])
    missing_text = float("nan") if default is None else codes.get(default, unknown)
    return lambda value: missing_text if (text := _text(name, value)) is None else codes.get(text, unknown)


def _index(name: str, value: Raw, codes: Mapping[str, float], missing: float) -> float:
    if isinstance(value, str) and value in codes:
        return codes[value]
    index = _number(name, value)
    if np.isnan(index):
        return missing
    return index if index.is_integer() and 0 <= index < len(codes) else float("nan")


def _defaulted(values: npt.NDArray[np.float64], default: float | None) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    rounded[~np.isfinite(rounded)] = np.float32("nan" if default is None else default)
    return rounded


def _number(name: str, value: Raw) -> float:
    """Rounded to float32; NaN when missing."""
    if value is None:
        return float("nan")
    if not isinstance(value, str):
        return _finite(float(value))
    text = value.strip(" \t\r\n")
    if text == "":
        return float("nan")
    if NUMBER.fullmatch(text):
        return _finite(float(text))
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    raise EncodingError(
        f"Feature {json.dumps(name)} is {json.dumps(value[:60])}; a number, true or false was expected: correct the record, or leave the value out."
    )


def _finite(value: float) -> float:
    with np.errstate(over="ignore"):
        rounded = float(np.float32(value))
    return rounded if np.isfinite(rounded) else float("nan")


def _text(name: str, value: Raw) -> str | None:
    """The text that a raw value stands for; None when missing. Fractions are refused, because languages write them differently."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if not np.isfinite(value):
        return None
    if float(value).is_integer() and abs(value) <= EXACT:
        return str(int(value))
    raise EncodingError(f"Feature {json.dumps(name)} is {value}; a text was expected: send the category as text.")


def columns_of(spec: Spec, records: Iterable[Sequence[Raw]]) -> dict[str, list[Raw]]:
    """Records in the order of the features → columns by name. Raises EncodingError for the wrong number of values."""
    names = names_of(spec)
    columns: dict[str, list[Raw]] = {name: [] for name in names}
    lists = list(columns.values())
    for line, record in enumerate(records, 1):
        if len(record) != len(names):
            raise EncodingError(f"Row {line} has {len(record)} values where {len(names)} were expected: {', '.join(names)}.")
        for column, value in zip(lists, record):
            column.append(value)
    return columns
