"""What happens to rows between source and dataset, as pure functions of Spark frames.

"Raw" rows have the columns key (text), event_time (timestamp or null), label (text or null), position (order within the source, or null)
and one text column per feature, named by its position (f0, f1, …) since a feature may be called anything."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from dataset_document import Feature, Split

# Text that all encoders of the project read as a number, as a flag or as missing; Java alone would also accept 1d and 0x1p3.
READABLE = r"(?i)^[ \t\r\n]*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf(inity)?|true|false)?[ \t\r\n]*$"
LARGEST = sys.float_info.max

TRAIN, VALIDATION, HOLDOUT = "train", "validation", "holdout"
SPLITS = (TRAIN, VALIDATION, HOLDOUT)


def slot(index: int) -> str:
    return f"f{index}"


def is_known_at(as_of: datetime) -> Column:
    """Events that had been scored by then. One that was scored again later has features from after as_of, so it is left out."""
    return F.coalesce(F.col("scored_ms") <= F.lit(milliseconds(as_of)), F.lit(False))


def newest_labels(labels: DataFrame, as_of: datetime) -> DataFrame:
    """The label of each event as it stood at as_of: labels (key, label, labelled_ms, received_ms, source) → one row per key. Labels with the
    same time are ordered as in risk.current_labels."""
    # The smallest of these is the newest: times and the label are negated, and a label without an arrival time comes last.
    order = F.struct(
        -F.col("labelled_ms"), F.coalesce(-F.col("received_ms"), F.lit(2**63 - 1)), F.col("source"), (~F.col("label")).alias("not_label")
    )
    return (
        labels.where(F.col("labelled_ms") <= F.lit(milliseconds(as_of)))
        .groupBy("key")
        .agg(F.min(order).alias("newest"))
        .select("key", (~F.col("newest.not_label")).alias("label"))
    )


def from_archive(events: DataFrame, features: Sequence[Feature], *extra: Column) -> DataFrame:
    """Archived events (key, event_ms, features as a map, i<n> per input field; label if there is one) → raw rows, and extra columns.
    The values are those archived when the event was scored; nothing is computed again."""
    label = F.col("label").cast("string") if "label" in events.columns else F.lit(None).cast("string")
    return events.select(
        "key",
        F.timestamp_millis("event_ms").alias("event_time"),
        label.alias("label"),
        F.lit(None).cast("long").alias("position"),
        *[
            (F.col("features").getItem(feature.name) if feature.origin == "features" else F.col(f"i{index}")).alias(slot(index))
            for index, feature in enumerate(features)
        ],
        *extra,
    )


def deduplicated(rows: DataFrame, count: int) -> DataFrame:
    """One row per key: the newest by time, then the last in the source, then by content so that the choice is repeatable.
    count: number of rows. Counting keys is cheap, sorting whole rows is not, so they are only sorted where a key repeats."""
    if rows.select("key").distinct().count() == count:
        return rows
    content = F.xxhash64(*[column for column in rows.columns if column not in ("key", "event_time", "position")])
    order = Window.partitionBy("key").orderBy(F.col("event_time").desc_nulls_last(), F.col("position").desc_nulls_last(), content)
    return rows.withColumn("place", F.row_number().over(order)).where("place = 1").drop("place")


def newest(rows: DataFrame, max_rows: int) -> DataFrame:
    return rows.orderBy(F.col("event_time").desc_nulls_last(), F.col("position").desc_nulls_last(), "key").limit(max_rows)


def typed(rows: DataFrame, features: Sequence[Feature], unreadable: str | None = None) -> DataFrame:
    """Raw rows → key, event_time, label (number or null; NaN for text that isn't a number), then the features by name and in order. unreadable:
    name of one more column with the positions of features that hold text where numbers are expected: an empty list for most rows."""
    # One expression over a list of texts: compiling the same expression for every column would take longer than running it.
    numbers = [index for index, feature in enumerate(features) if not feature.is_text and not feature.categories]
    texts = F.array(*[F.col(slot(index)) for index in numbers]).cast("array<string>")
    listed = rows.select(
        "*",
        F.transform(texts, _finite).alias("numbers"),
        *([_unreadable(features, numbers, texts).alias("unreadable")] if unreadable is not None else []),
    )
    return listed.select(
        "key",
        "event_time",
        label_number(F.col("label")).alias("label"),
        *[
            (F.col("numbers")[numbers.index(index)] if index in numbers else value_of(feature, F.col(slot(index)))).alias(feature.name)
            for index, feature in enumerate(features)
        ],
        *([F.col("unreadable").alias(unreadable)] if unreadable is not None else []),
    )


def _unreadable(features: Sequence[Feature], numbers: Sequence[int], texts: Column) -> Column:
    places = F.array(*[F.lit(index) for index in numbers]).cast("array<int>")
    words = F.zip_with(texts, places, lambda text, place: F.when(_is_no_number(text), place))
    categories = [
        F.when(is_unreadable(feature, F.col(slot(index))), F.lit(index)) for index, feature in enumerate(features) if feature.categories
    ]
    return F.array_compact(F.concat(words, F.array(*categories).cast("array<int>")))


def value_of(feature: Feature, text: Column) -> Column:
    """Text of a source → the raw value of a feature; null when missing."""
    if feature.is_text:
        # A record of Batch Transform is one line, so values must not contain line breaks; U+FFFD replaces them here and in training.
        line = F.regexp_replace(text, "[\\r\\n]", "\ufffd")
        return F.when(line != "", line)
    return F.coalesce(_category_index(feature, text), _finite(text)) if feature.categories else _finite(text)


def _finite(text: Column) -> Column:
    """Neither NaN nor infinite; null stays null."""
    number = _number(text)
    return F.when(F.abs(number) <= LARGEST, number)


def is_unreadable(feature: Feature, text: Column) -> Column:
    """True for words in a column of numbers. What counts as a number and what as missing is defined in functions/scoring/models/feature-encoder.ts."""
    if feature.is_text:
        return F.lit(False)
    if feature.categories:
        return _is_no_number(text) & _category_index(feature, text).isNull()
    return _is_no_number(text)


def _is_no_number(text: Column) -> Column:
    return F.coalesce(~text.rlike(READABLE), F.lit(False))


def label_number(text: Column) -> Column:
    """Null when missing, NaN for text that isn't a number."""
    return F.when(F.trim(text) != "", F.coalesce(F.when(text.rlike(READABLE), _number(text)), F.lit(float("nan"))))


def _category_index(feature: Feature, text: Column) -> Column:
    pairs = [F.lit(part) for index, category in enumerate(feature.categories) for part in (category, float(index))]
    return F.create_map(*pairs)[text]


def _number(text: Column) -> Column:
    """For readable text. The cast accepts surrounding spaces; words are only tried where it gives nothing."""
    word = F.lower(F.trim(text))
    return F.coalesce(text.cast("double"), F.when(word == "true", 1.0).when(word == "false", 0.0))


def with_split(rows: DataFrame, split: Split, cuts: Sequence[float] | None) -> DataFrame:
    """Adds `split`. cuts: the times (seconds since 1970) up to which rows are train, then validation; None splits by the key's hash,
    which is the same in every run and every language: the first 32 bits of SHA-256."""
    if cuts is None:
        place = F.conv(F.substring(F.sha2("key", 256), 1, 8), 16, 10).cast("double") / float(2**32)
        train_until, validation_until = ends_of(split)
        is_train, is_validation = place < train_until, place < validation_until
    else:
        seconds = F.col("event_time").cast("double")
        is_train, is_validation = seconds <= cuts[0], seconds <= cuts[1]
    return rows.withColumn("split", F.when(is_train, TRAIN).when(is_validation, VALIDATION).otherwise(HOLDOUT))


def time_cuts(rows: DataFrame, split: Split) -> list[float]:
    """Exact quantiles of time, so that validation is newer than train and the holdout is the newest; equal times stay together."""
    seconds = rows.select(F.col("event_time").cast("double").alias("seconds"))
    return seconds.approxQuantile("seconds", ends_of(split), 0.0)


def ends_of(split: Split) -> list[float]:
    """Where train and validation end, as shares; rounded, since 1 - 0.2 - 0.2 is a little more than 0.6."""
    return [round(1 - split.validation - split.holdout, 9), round(1 - split.holdout, 9)]


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
