"""Statistics of a training set, column by column: what the data-quality gate judges and what drift is measured against."""

from __future__ import annotations

from typing import Any, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from dataset_document import Feature, Target

# Numeric columns of so few values are counted value by value, others by their 5 % quantiles.
FEW_VALUES = 50
QUANTILES = [step / 20 for step in range(21)]
# Of a categorical column only the most frequent values are listed: an id would otherwise fill the document.
MOST_VALUES = 1000
COLUMNS_A_PASS = 10


def column_statistics(rows: DataFrame, features: Sequence[Feature]) -> list[dict[str, Any]]:
    """rows: typed, and cached since they are read several times. histogram: `edges` ascending, `counts` one longer: values below the
    first edge, between two edges, from the last one on; a value on an edge counts to its right. counts: by value."""
    summaries = _summaries(rows, features)
    few = {
        feature.name
        for feature in features
        if feature.type != "numeric" or summaries[feature.name]["distinct"] <= FEW_VALUES
    }
    counts = _value_counts(rows, [feature for feature in features if feature.name in few])
    histograms = _histograms(rows, [feature.name for feature in features if feature.name not in few])
    return [
        {
            "name": feature.name,
            "type": feature.type,
            **summaries[feature.name],
            # The estimate is exact only by chance; the counts are.
            **({"distinct": len(counts[feature.name])} if 0 < len(counts.get(feature.name, {})) < MOST_VALUES else {}),
            "histogram": histograms.get(feature.name),
            "counts": counts.get(feature.name, {}) if feature.name in few else None,
        }
        for feature in features
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
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(features), COLUMNS_A_PASS):
        part = features[start : start + COLUMNS_A_PASS]
        aggregates = []
        for index, feature in enumerate(part):
            column = _column(feature.name)
            number = F.lit(None).cast("double") if feature.is_text else column
            aggregates += [
                F.count(column).alias(f"c{index}"),
                F.min(number).alias(f"a{index}"),
                F.max(number).alias(f"z{index}"),
                F.avg(number).alias(f"m{index}"),
                F.approx_count_distinct(column).alias(f"d{index}"),
            ]
        row = rows.agg(F.count("*").alias("rows"), *aggregates).first() or Row()
        for index, feature in enumerate(part):
            found[feature.name] = {
                "rows": row["rows"],
                "nulls": row["rows"] - row[f"c{index}"],
                "minimum": row[f"a{index}"],
                "maximum": row[f"z{index}"],
                "mean": row[f"m{index}"],
                "distinct": row[f"d{index}"],
            }
    return found


def _value_counts(rows: DataFrame, features: Sequence[Feature]) -> dict[str, dict[str, int]]:
    """One pass for all columns: each row becomes a (column, value) pair per column."""
    if not features:
        return {}
    pairs = F.array(
        *[F.struct(F.lit(index).alias("column"), _column(feature.name).cast("string").alias("value")) for index, feature in enumerate(features)]
    )
    counted = rows.select(F.explode(pairs).alias("pair")).select("pair.*").where("value IS NOT NULL").groupBy("column", "value").count()
    result: dict[str, dict[str, int]] = {feature.name: {} for feature in features}
    listed: list[Row] = counted.orderBy(F.col("count").desc(), "value").collect()
    for row in listed:
        feature = features[row["column"]]
        values = result[feature.name]
        if len(values) < MOST_VALUES:
            values[row["value"] if feature.is_text else _number(row["value"])] = row["count"]
    return result


def _histograms(rows: DataFrame, names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    result: dict[str, dict[str, list[float]]] = {}
    for start in range(0, len(names), COLUMNS_A_PASS):
        part = names[start : start + COLUMNS_A_PASS]
        quantiles = rows.agg(
            *[F.percentile_approx(_column(name), QUANTILES, 1000).alias(f"q{at}") for at, name in enumerate(part)]
        ).first()
        # The ends are among them, so that there are two edges even where nearly all values are one.
        edges = [sorted(set(quantiles[f"q{at}"])) if quantiles else [] for at in range(len(part))]
        # Bins are counted in one pass for all columns: each row becomes a (column, bin) pair per column.
        bins = F.array(*[F.struct(F.lit(at).alias("column"), _bin(_column(name), edges[at]).alias("bin")) for at, name in enumerate(part)])
        known = F.array(*[_column(name) for name in part])
        pairs = rows.select(F.explode(F.arrays_zip(bins.alias("bins"), known.alias("known"))).alias("pair"))
        counted = pairs.where("pair.known IS NOT NULL").groupBy("pair.bins.column", "pair.bins.bin").count().collect()
        for at, name in enumerate(part):
            result[name] = {"edges": edges[at], "counts": [0] * (len(edges[at]) + 1)}
        for row in counted:
            result[part[row["column"]]]["counts"][row["bin"]] = row["count"]
    return result


def _bin(value: Column, edges: Sequence[float]) -> Column:
    """How many edges are not above the value."""
    return F.size(F.filter(F.array(*[F.lit(edge) for edge in edges]), lambda edge: edge <= value))


def _number(text: str) -> str:
    """As JavaScript and JSON write it: 1, not 1.0."""
    value = float(text)
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _column(name: str) -> Column:
    """A column whose name may hold dots."""
    return F.col("`" + name.replace("`", "``") + "`")
