"""Statistics of a training set, column by column: the data-quality gate checks them, and drift is measured against them."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from dataset_document import Feature, Target

# Numeric columns with so few values are counted value by value, others by their 5 % quantiles.
FEW_VALUES = 50
QUANTILES = [step / 20 for step in range(21)]
# Only the most frequent values of a categorical column are listed: an id would otherwise fill the document.
MOST_VALUES = 1000
ACCURACY = 1000


def column_statistics(rows: DataFrame, features: Sequence[Feature]) -> list[dict[str, Any]]:
    """rows: typed, and cached because they are read twice. histogram: `edges` ascending, `counts` has one more: values below the first edge,
    between each two edges, and from the last one on; a value on an edge counts to its right. counts: by value.

    Both passes turn each row into one (column, value) pair per column and group by column, so that the plan stays as small for
    hundreds of columns as for one: an aggregate for every column and figure would take longer to compile than to run."""
    total = rows.count()
    summaries = _summaries(rows, features)
    few = {
        feature.name
        for feature in features
        if feature.type != "numeric" or summaries[feature.name]["distinct"] <= FEW_VALUES
    }
    edges = {feature.name: summaries[feature.name]["quantiles"] for feature in features if feature.name not in few}
    counts, bins = _counts(rows, features, edges)
    return [
        {
            "name": feature.name,
            "type": feature.type,
            "rows": total,
            "nulls": total - summaries[feature.name]["known"],
            "minimum": summaries[feature.name]["minimum"],
            "maximum": summaries[feature.name]["maximum"],
            "mean": summaries[feature.name]["mean"],
            # The estimate is exact only by chance; the counts are exact.
            "distinct": len(values) if 0 < len(values) < MOST_VALUES else summaries[feature.name]["distinct"],
            "histogram": None if feature.name in few else {"edges": edges[feature.name], "counts": bins[feature.name]},
            "counts": values if feature.name in few else None,
        }
        for feature in features
        for values in (counts.get(feature.name, {}),)
    ]


def label_statistics(rows: DataFrame, target: Target) -> dict[str, Any]:
    label = F.col("label")
    finite = F.when(~F.isnan(label) & (F.abs(label) != float("inf")), label)
    found = rows.agg(
        F.count("*").alias("rows"),
        F.sum(label.isNull().cast("long")).alias("nulls"),
        F.sum((label.isNotNull() & finite.isNull()).cast("long")).alias("notFinite"),
        F.sum((finite == 1).cast("long")).alias("positives"),
        F.min(finite).alias("minimum"),
        F.max(finite).alias("maximum"),
        F.avg(finite).alias("mean"),
    ).first()
    summary: dict[str, Any] = found.asDict() if found else {}
    positives = (summary["positives"] or 0) if target.kind == "binary" else None
    return {"kind": target.kind, **summary, "positives": positives}


def _summaries(rows: DataFrame, features: Sequence[Feature]) -> dict[str, dict[str, Any]]:
    found = (
        _pairs(rows, features)
        .groupBy("column")
        .agg(
            (F.count("number") + F.count("text")).alias("known"),
            F.min("number").alias("minimum"),
            F.max("number").alias("maximum"),
            F.avg("number").alias("mean"),
            (F.approx_count_distinct("number") + F.approx_count_distinct("text")).alias("distinct"),
            # Both ends are included, so that there are two edges even where nearly all values are equal.
            F.array_distinct(F.percentile_approx("number", QUANTILES, ACCURACY)).alias("quantiles"),
        )
    )
    return {features[row["column"]].name: row.asDict() for row in found.collect()}


def _pairs(rows: DataFrame, features: Sequence[Feature]) -> DataFrame:
    """Each row as one row (column, number, text) per feature; column is the feature's position."""
    number, text = F.lit(None).cast("double"), F.lit(None).cast("string")
    pairs = [
        F.struct(
            F.lit(index).alias("column"),
            (number if feature.is_text else _column(feature.name)).alias("number"),
            (_column(feature.name) if feature.is_text else text).alias("text"),
        )
        for index, feature in enumerate(features)
    ]
    return rows.select(F.explode(F.array(*pairs)).alias("pair")).select("pair.*")


def _counts(
    rows: DataFrame, features: Sequence[Feature], edges: Mapping[str, Sequence[float]]
) -> tuple[dict[str, dict[str, int]], dict[str, list[int]]]:
    """For columns with edges the number of values in each bin, for others how often each value occurs, most frequent first."""
    bounds = ", ".join(_padded(edges[feature.name]) if feature.name in edges else "CAST(NULL AS array<double>)" for feature in features)
    value = F.when(F.col("edges").isNull(), F.coalesce("text", F.col("number").cast("string"))).when(
        F.col("number").isNotNull(), F.expr(_bin(0, len(QUANTILES))).cast("string")
    )
    grouped = (
        _pairs(rows, features)
        .withColumn("edges", F.expr(f"array({bounds})")[F.col("column")])
        .select("column", value.alias("value"))
        .where("value IS NOT NULL")
        .groupBy("column", "value")
        .count()
    )
    counts: dict[str, dict[str, int]] = {feature.name: {} for feature in features if feature.name not in edges}
    bins = {name: [0] * (len(found) + 1) for name, found in edges.items()}
    listed: list[Row] = grouped.orderBy(F.col("count").desc(), "value").collect()
    for row in listed:
        feature = features[row["column"]]
        if feature.name in edges:
            bins[feature.name][int(row["value"])] = row["count"]
        elif len(values := counts[feature.name]) < MOST_VALUES:
            values[row["value"] if feature.is_text else _number(row["value"])] = row["count"]
    return counts, bins


def _padded(edges: Sequence[float]) -> str:
    """Padded to the length of the longest list of edges; no value lies beyond infinity."""
    padding = ["double('Infinity')"] * (len(QUANTILES) - len(edges))
    return f"array({', '.join([*[f'{edge!r}D' for edge in edges], *padding])})"


def _bin(low: int, high: int) -> str:
    """How many of `edges` are at most `number`, found by bisection."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    return f"IF(number < edges[{middle}], {_bin(low, middle)}, {_bin(middle + 1, high)})"


def _number(text: str) -> str:
    """As JavaScript and JSON write it: 1, not 1.0."""
    value = float(text)
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _column(name: str) -> Column:
    """A column whose name may contain dots."""
    return F.col("`" + name.replace("`", "``") + "`")
