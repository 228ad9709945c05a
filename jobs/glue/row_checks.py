"""Counts over raw rows that end a job if the source is not what the dataset document describes.

Messages name columns and counts but never quote text of a row: they end in logs and mails, and a file with shifted columns has names and
addresses where numbers should be."""

from __future__ import annotations

from typing import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from dataset_document import Dataset, Feature
from glue_job import JobFailed

# A column beside the features; their names never begin with a space.
UNREADABLE = " unreadable"


def absent(features: Sequence[Feature]) -> Column:
    """For an archived event the features that it lacks: keys missing in its `features` (a null value counts as present), and input fields that
    were not given. The list is empty for most events, so it costs little to keep."""
    archived = F.array(*[F.lit(feature.name) for feature in features if feature.origin == "features"]).cast("array<string>")
    known = F.coalesce(F.map_keys("features"), F.array().cast("array<string>"))
    names = F.transform(F.array_except(archived, known), lambda name: F.concat(F.lit("features."), name))
    inputs = [
        F.when(F.col(f"i{index}").isNull(), F.lit(f"input.{feature.name}"))
        for index, feature in enumerate(features)
        if feature.origin == "input"
    ]
    return F.concat(names, F.array_compact(F.array(*inputs).cast("array<string>")))


def absent_everywhere(rows: DataFrame, count: int) -> list[str]:
    """Features that all `count` rows with the column `absent` lack, in the order of the dataset."""
    found = rows.select(F.posexplode("absent")).groupBy("col").agg(F.count("*").alias("rows"), F.max("pos").alias("place"))
    return [row["col"] for row in found.where(F.col("rows") == count).orderBy("place").collect()]


def require_columns(absent: Sequence[str], place: str, found: Sequence[str] | None = None) -> None:
    if absent:
        known = f", found only {', '.join(found)}" if found is not None else ""
        raise JobFailed(
            f"Column {', '.join(absent)} vanished: expected in {place}{known}. "
            "Was it renamed or removed? Restore it, or remove it from the dataset's features."
        )


def check_rows(checked: DataFrame, dataset: Dataset, place: str) -> int:
    """checked: raw rows with a column UNREADABLE. Raises JobFailed for rows without a key and for text in number columns. Returns
    the number of rows."""
    found = checked.agg(
        F.count("*").alias("rows"),
        F.count_if(F.coalesce(F.trim("key"), F.lit("")) == "").alias("keyless"),
        F.count_if(F.size(F.col(UNREADABLE)) > 0).alias("unreadable"),
    ).first()
    counts = found.asDict() if found else {}
    problems: list[str] = []
    if counts["keyless"]:
        problems.append(f"{counts['keyless']} rows have no key: each row needs a unique key")
    if counts["unreadable"]:
        columns = checked.select(F.explode(UNREADABLE).alias("place")).groupBy("place").count().orderBy("place").collect()
        for index, count in columns:
            feature = dataset.features[index]
            expected = "that is none of its categories" if feature.categories else "where numbers are expected"
            problems.append(f"column {feature.name} holds text {expected} in {count} rows")
    if problems:
        raise JobFailed(f"{place}: {'; '.join(problems)}. Correct the source, or the types of the dataset's features.")
    return int(counts["rows"])


def check_labels(typed_rows: DataFrame, dataset: Dataset) -> None:
    """A binary target must be 0 or 1, a regression's must lie on its scale. Missing and non-finite ones are counted in the statistics,
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
            f"The target {target.name} is outside its scale in {found['rows']} rows, such as {found['example']:g}: expected {expected}. "
            "Correct the source, or the target of the dataset."
        )
