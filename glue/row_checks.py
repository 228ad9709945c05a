"""Counts over raw rows that end a job when they say that the source is not what the dataset document describes."""

from __future__ import annotations

from typing import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dataset_document import Dataset, Feature
from glue_job import JobFailed
from transformations import is_unreadable, slot


def absent_features(events: DataFrame, features: Sequence[Feature]) -> list[str]:
    """Features that no archived event knows: a key of the archive's `features` that is nowhere (null values count as known), an input
    field that is nowhere given."""
    found = events.agg(
        *[
            F.max(F.map_contains_key("features", feature.name) if feature.origin == "features" else F.col(f"i{index}").isNotNull()).alias(
                slot(index)
            )
            for index, feature in enumerate(features)
        ]
    ).first()
    return [f"{feature.origin}.{feature.name}" for index, feature in enumerate(features) if not (found and found[slot(index)])]


def require_columns(absent: Sequence[str], place: str, found: Sequence[str] | None = None) -> None:
    if absent:
        known = f", found only {', '.join(found)}" if found is not None else ""
        raise JobFailed(
            f"Column {', '.join(absent)} vanished: expected in {place}{known}. "
            "Was it renamed or removed? Restore it, or take it out of the dataset's features."
        )


def check_rows(rows: DataFrame, dataset: Dataset, place: str) -> None:
    """Raises JobFailed for rows without a key and for text in columns of numbers."""
    numbers = [(index, feature) for index, feature in enumerate(dataset.features) if not feature.is_text]
    keyless = F.sum((F.coalesce(F.trim("key"), F.lit("")) == "").cast("long")).alias("keyless")
    unreadable = [F.sum(is_unreadable(feature, F.col(slot(index))).cast("long")).alias(slot(index)) for index, feature in numbers]
    found = rows.agg(keyless, *unreadable).first()
    counts = found.asDict() if found else {}
    problems: list[str] = []
    if counts["keyless"]:
        problems.append(f"{counts['keyless']} rows have no key: each needs one of its own")
    for index, feature in numbers:
        if counts[slot(index)]:
            text = F.col(slot(index))
            [example] = rows.where(is_unreadable(feature, text)).agg(F.min(text)).collect()
            problems.append(
                f"column {feature.name} holds text where numbers are expected in {counts[slot(index)]} rows, "
                f"such as {example[0]!r}"
            )
    if problems:
        raise JobFailed(f"{place}: {'; '.join(problems)}. Correct the source, or the types of the dataset's features.")


def check_labels(typed_rows: DataFrame, dataset: Dataset) -> None:
    """A binary target is 0 or 1, a regression's lies on its scale. Missing and non-finite ones are counted in the statistics,
    where the data-quality gate judges them."""
    target = dataset.target
    label = F.col("label")
    is_finite = label.isNotNull() & ~F.isnan(label) & (F.abs(label) != float("inf"))
    if target.kind == "binary":
        wrong, expected = is_finite & ~label.isin(0.0, 1.0), "0 or 1"
    else:
        wrong, expected = is_finite & ~label.between(target.minimum, target.maximum), f"{target.minimum:g} to {target.maximum:g}"
    found = typed_rows.where(wrong).agg(F.count("*").alias("rows"), F.min("label").alias("example")).first()
    if found and found["rows"]:
        raise JobFailed(
            f"The target {target.name} is outside of its scale in {found['rows']} rows, such as {found['example']:g}: expected {expected}. "
            "Correct the source, or the target of the dataset."
        )
