from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import FEATURES, numeric

import column_statistics
from dataset_document import Feature, Split, Target
from transform_csv import key_from_csv, key_to_csv
from transformations import (
    deduplicated,
    from_archive,
    is_known_at,
    is_unreadable,
    label_number,
    milliseconds,
    newest,
    newest_labels,
    time_cuts,
    value_of,
    with_split,
)
from warehouse_source import events_schema

pytestmark = pytest.mark.usefixtures("spark")

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AMOUNT = Feature("amount", "numeric", "features", False)
CATEGORY = Feature("category", "categorical", "features", False, ("grocery", "travel"))
COUNTRY = Feature("country", "categorical", "input", True)
ARCHIVED = (AMOUNT, COUNTRY)


def at(minutes: float) -> int:
    """Milliseconds of a time after noon."""
    return milliseconds(NOON + timedelta(minutes=minutes))


def labels(spark: Any, *rows: tuple[str, bool, float, float | None, str]) -> Any:
    data = [(key, label, at(labelled), None if received is None else at(received), source) for key, label, labelled, received, source in rows]
    return spark.createDataFrame(data, "key string, label boolean, labelled_ms long, received_ms long, source string")


def events(spark: Any, *rows: tuple[str, float, float, dict[str, str | None], str | None]) -> Any:
    data = [(key, at(time), at(scored), features, country) for key, time, scored, features, country in rows]
    return spark.createDataFrame(data, events_schema(ARCHIVED))


def test_the_newest_label_up_to_as_of_counts(spark: Any) -> None:
    found = newest_labels(
        labels(
            spark,
            ("a", False, -10, -10, "crm"),
            ("a", True, -5, -5, "chargeback"),
            # A verdict that flips after as_of is not known yet.
            ("a", False, 5, 5, "investigation"),
            ("b", True, 0, 0, "crm"),
            ("c", True, 1, 1, "crm"),
            # Of one time: what arrived later, then the source's name.
            ("d", True, -3, -3, "crm"),
            ("d", False, -3, -2, "crm"),
            ("e", True, -3, None, "b"),
            ("e", False, -3, None, "a"),
        ),
        NOON,
    )
    assert {row["key"]: row["label"] for row in found.collect()} == {"a": True, "b": True, "d": False, "e": False}


def test_later_knowledge_does_not_change_an_earlier_extract(spark: Any) -> None:
    """Leakage: new labels, new events and events that were scored again after as_of."""
    archive = [
        ("a", -60, -60, {"amount": "1"}, "DE"),
        ("b", -50, -50, {"amount": "2"}, "FR"),
    ]
    known = [("a", True, -30, -30, "crm")]
    later_events = [("c", 10, 10, {"amount": "3"}, "US")]
    later_labels = [("b", True, 20, 20, "chargeback"), ("a", False, 30, 30, "investigation")]

    def extract(event_rows: list[Any], label_rows: list[Any]) -> list[Any]:
        of_events = events(spark, *event_rows).where(is_known_at(NOON))
        joined = of_events.join(newest_labels(labels(spark, *label_rows), NOON), "key", "left")
        return sorted(from_archive(joined, ARCHIVED).collect())

    before = extract(archive, known)
    assert extract(archive + later_events, known + later_labels) == before
    assert [(row["key"], row["label"], row["f0"], row["f1"]) for row in before] == [("a", "true", "1", "DE"), ("b", None, "2", "FR")]
    again = [("a", -60, 40, {"amount": "999"}, "DE"), archive[1]]
    assert extract(again, known + later_labels) == [row for row in before if row["key"] == "b"]


def raw(spark: Any, *rows: tuple[str, float | None, int | None, str | None]) -> Any:
    data = [(key, None if time is None else NOON + timedelta(minutes=time), "1", position, amount) for key, time, position, amount in rows]
    return spark.createDataFrame(data, "key string, event_time timestamp, label string, position long, f0 string")


def test_the_newest_duplicate_is_kept(spark: Any) -> None:
    rows = raw(
        spark, ("a", 1, None, "old"), ("a", 2, None, "new"), ("b", None, 1, "first"), ("b", None, 2, "last"), ("c", None, None, "x")
    )
    assert sorted((row["key"], row["f0"]) for row in deduplicated(rows, 5).collect()) == [("a", "new"), ("b", "last"), ("c", "x")]


def test_the_choice_between_unordered_duplicates_is_repeatable(spark: Any) -> None:
    one = deduplicated(raw(spark, ("a", 1, None, "x"), ("a", 1, None, "y")), 2).collect()
    two = deduplicated(raw(spark, ("a", 1, None, "y"), ("a", 1, None, "x")), 2).collect()
    assert one == two


def test_the_newest_rows_are_kept_when_there_are_too_many(spark: Any) -> None:
    rows = raw(spark, *[(f"k{minute}", minute, None, "1") for minute in range(5)])
    assert {row["key"] for row in newest(rows, 2).collect()} == {"k3", "k4"}


READINGS: list[tuple[Feature, str | None, Any, bool]] = [
    (AMOUNT, "1.5", 1.5, False),
    (AMOUNT, " +.5E1 \t", 5.0, False),
    (AMOUNT, "TRUE", 1.0, False),
    (AMOUNT, "false", 0.0, False),
    (AMOUNT, "NaN", None, False),
    (AMOUNT, "-Infinity", None, False),
    (AMOUNT, "", None, False),
    (AMOUNT, " ", None, False),
    (AMOUNT, None, None, False),
    (AMOUNT, "1d", None, True),
    (AMOUNT, "much", None, True),
    (CATEGORY, "travel", 1.0, False),
    (CATEGORY, "0", 0.0, False),
    (CATEGORY, "Travel", None, True),
    (CATEGORY, None, None, False),
    (COUNTRY, " DE ", " DE ", False),
    (COUNTRY, "", None, False),
    (COUNTRY, "a\r\nb", "a\ufffd\ufffdb", False),
]


def test_text_becomes_a_raw_value(spark: Any) -> None:
    schema = ", ".join(f"c{place} string" for place in range(len(READINGS)))
    frame = spark.createDataFrame([tuple(text for _, text, _, _ in READINGS)], schema)
    columns = [
        column
        for place, (feature, _, _, _) in enumerate(READINGS)
        for column in (value_of(feature, frame[f"c{place}"]).alias(f"v{place}"), is_unreadable(feature, frame[f"c{place}"]).alias(f"b{place}"))
    ]
    row = frame.select(*columns).first()
    # Unreadable text ends a job, so what it would be as a value is nobody's business.
    found = [(None if row[f"b{place}"] else row[f"v{place}"], row[f"b{place}"]) for place in range(len(READINGS))]
    assert found == [(value, unreadable) for _, _, value, unreadable in READINGS]


def test_labels_distinguish_missing_from_not_a_number(spark: Any) -> None:
    frame = spark.createDataFrame([("true",), ("0",), ("",), (None,), ("fraud",), ("nan",)], "text string")
    found = [row[0] for row in frame.select(label_number(frame["text"])).collect()]
    assert found[:4] == [1.0, 0.0, None, None]
    assert [value != value for value in found[4:]] == [True, True]


def test_a_split_by_time_gives_the_newest_to_the_holdout(spark: Any) -> None:
    rows = raw(spark, *[(f"k{minute}", minute, None, "1") for minute in range(100)])
    split = Split("time", 0.2, 0.1)
    parts = {row["key"]: row["split"] for row in with_split(rows, split, time_cuts(rows, split)).collect()}
    minutes = {part: [int(key[1:]) for key, found in parts.items() if found == part] for part in ("train", "validation", "holdout")}
    assert (max(minutes["train"]), min(minutes["validation"])) == (69, 70)
    assert (max(minutes["validation"]), min(minutes["holdout"])) == (89, 90)


def test_a_split_by_key_does_not_depend_on_other_rows(spark: Any) -> None:
    split = Split("hash", 0.2, 0.1)
    rows = raw(spark, *[(f"k{number}", None, None, "1") for number in range(2000)])
    parts = {row["key"]: row["split"] for row in with_split(rows, split, None).collect()}
    fewer = {row["key"]: row["split"] for row in with_split(rows.limit(50), split, None).collect()}
    assert all(parts[key] == part for key, part in fewer.items())
    shares = [list(parts.values()).count(part) / 2000 for part in ("train", "validation", "holdout")]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.03)


def test_a_key_survives_a_line_of_csv(spark: Any) -> None:
    keys = ["a", "a\nb", "50%0A", "x\r\ny", 'q"u,o']
    frame = spark.createDataFrame([(key,) for key in keys], "key string")
    written = [row[0] for row in frame.select(key_to_csv(frame["key"])).collect()]
    assert not any("\n" in key or "\r" in key for key in written)
    back = spark.createDataFrame([(key,) for key in written], "key string")
    assert [row[0] for row in back.select(key_from_csv(back["key"])).collect()] == keys


def test_statistics_count_every_column(spark: Any) -> None:
    features = [Feature(entry["name"], entry["type"], entry["from"], entry["name"] == "country") for entry in [*FEATURES, numeric("few")]]
    data = [
        (f"k{row}", float(row), float(row % 2), None if row % 4 == 0 else 1.0, "DE" if row % 5 else None, float(row % 3))
        for row in range(200)
    ]
    rows = spark.createDataFrame(data, "key string, amount double, flag double, category double, country string, few double").cache()
    amount, flag, category, country, few = column_statistics.column_statistics(rows, features)
    assert amount | {"histogram": None} == {
        "name": "amount", "type": "numeric", "rows": 200, "nulls": 0, "minimum": 0.0, "maximum": 199.0, "mean": 99.5,
        "distinct": amount["distinct"], "histogram": None, "counts": None,
    }  # fmt: skip
    histogram = amount["histogram"]
    assert len(histogram["counts"]) == len(histogram["edges"]) + 1 and sum(histogram["counts"]) == 200
    # A value on an edge counts to the right of it.
    expected = [sum(low <= row < high for row in range(200)) for low, high in zip([-1, *histogram["edges"]], [*histogram["edges"], 999])]
    assert histogram["counts"] == expected
    assert (flag["counts"], flag["histogram"]) == ({"0": 100, "1": 100}, None)
    assert (category["nulls"], category["counts"]) == (50, {"1": 150})
    assert (country["nulls"], country["counts"], country["minimum"]) == (40, {"DE": 160}, None)
    assert (few["distinct"], few["counts"]) == (3, {"0": 67, "1": 67, "2": 66})


def test_label_statistics_count_text_that_is_not_a_number(spark: Any) -> None:
    rows = spark.createDataFrame([(1.0,), (0.0,), (None,), (float("nan"),), (float("inf"),)], "label double")
    found = column_statistics.label_statistics(rows, Target("label", "binary", 0, 1))
    assert found == {
        "kind": "binary", "rows": 5, "nulls": 1, "notFinite": 2, "positives": 1, "minimum": 0.0, "maximum": 1.0, "mean": 0.5,
    }  # fmt: skip
