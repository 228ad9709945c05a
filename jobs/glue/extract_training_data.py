"""Glue job: source → training/data/<dataset>/<modelName>/{train,validation,holdout}/ (Parquet) and statistics.json.

An extract as of a moment sees nothing later: events scored by then, with features as they were archived, and labels whose verdict was
reached by then (labelled_at). Running it again for the same moment over the same tables gives the same rows. Rows that were loaded in
between are added: events that arrived late, and earlier verdicts that arrived later."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Any, Sequence

import boto3
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from column_statistics import column_statistics, label_statistics
from dataset_document import Dataset, Split, parse_dataset
from glue_job import Arguments, JobFailed, name, run, spark_session
from job_storage import Storage
from row_checks import UNREADABLE, check_labels, check_rows
from sources import Extract, moment, source_of
from transformations import SPLITS, VALIDATION, deduplicated, newest, time_cuts, typed, with_split

ROWS_A_FILE = 250_000


def main(arguments: Sequence[str]) -> None:
    parser = Arguments("Extracts a training set.")
    parser.add_argument("--model_name", required=True, type=name, help="name of the model to be trained")
    parser.add_argument("--as_of", required=True, help="ISO 8601: events scored and labels given later are left out")
    parser.add_argument("--file", default="", help="key of a CSV under training/source/")
    options = parser.read(arguments)
    as_of = moment(options.as_of)
    storage = Storage(options.bucket, boto3.client("s3"), options.staging_dir)
    document = storage.read_text(f"config/datasets/{options.dataset}.json", "Deploy the stack, which writes the dataset's document.")
    dataset = parse_dataset(document, options.dataset)
    spark = spark_session(f"{dataset.name}: training data", options.staging_dir)
    extract = source_of(dataset, options, storage, spark).training_rows(as_of)
    rows, duplicates = prepare(extract, dataset)
    folder = f"training/data/{dataset.name}/{options.model_name}/"
    sizes = {row["split"]: row["count"] for row in rows.groupBy("split").count().collect()}
    counts = {part: sizes.get(part, 0) for part in SPLITS}
    require_every_split(counts, dataset.split)
    for part in SPLITS:
        write(rows, part, counts[part], storage, f"{folder}{part}/")
    statistics = describe(rows, dataset) | {
        "modelName": options.model_name,
        "asOf": iso(as_of),
        "rows": counts,
        "duplicateKeys": duplicates,
        "leftOut": dict(extract.left_out),
    }
    storage.write_text(f"{folder}statistics.json", json.dumps(statistics, allow_nan=False, ensure_ascii=False))
    print(f"{dataset.name} as of {iso(as_of)}: {counts}, {duplicates} duplicate keys, left out {dict(extract.left_out)}", file=sys.stderr)


def prepare(extract: Extract, dataset: Dataset) -> tuple[DataFrame, int]:
    """Raw rows → typed rows with their split, cached; and how many rows repeated the key of a newer row."""
    raw = extract.rows
    checked = typed(raw, dataset.features, UNREADABLE).cache()
    found = check_rows(checked, dataset, extract.place)
    if found == 0:
        left_out = ", ".join(f"{count} {why}" for why, count in extract.left_out.items() if count) or "none was found"
        raise JobFailed(
            f"The training extract of {dataset.name} is empty: {extract.place} has no usable row ({left_out}). "
            "Expected at least one. Check that events are loaded and labelled, and history.days, labels.maturityDays and asOf."
        )
    unique = deduplicated(raw, found)
    kept = found if unique is raw else unique.count()
    bounded = newest(unique, dataset.max_rows) if kept > dataset.max_rows else unique
    rows = checked.drop(UNREADABLE) if bounded is raw else typed(bounded, dataset.features).cache()
    check_labels(rows, dataset)
    return with_split(rows, dataset.split, cuts_of(rows, dataset.split)), found - kept


def cuts_of(rows: DataFrame, split: Split) -> list[float] | None:
    """Rows of a file without times have no order, so they are split by key."""
    if split.by == "hash" or rows.where("event_time IS NULL").limit(1).count() > 0:
        return None
    return time_cuts(rows, split)


def write(rows: DataFrame, part: str, count: int, storage: Storage, prefix: str) -> None:
    """Sorted by time and key, so that the same rows train the same model."""
    chosen = rows.where(F.col("split") == part).drop("split")
    files = -(-count // ROWS_A_FILE)
    placed = chosen.repartitionByRange(files, "event_time", "key") if files > 1 else chosen.coalesce(1)
    with storage.replacing(prefix) as address:
        placed.sortWithinPartitions("event_time", "key").write.mode("overwrite").parquet(address)


def require_every_split(counts: dict[str, int], split: Split) -> None:
    # A dataset may have no validation rows; training then doesn't stop early.
    empty = [part for part in SPLITS if counts[part] == 0 and not (part == VALIDATION and split.validation == 0)]
    if empty:
        raise JobFailed(
            f"The split by {split.by} left {' and '.join(empty)} without rows ({counts}): expected at least one in each. "
            "Extract more history, or change split.validation and split.holdout."
        )


def describe(rows: DataFrame, dataset: Dataset) -> dict[str, Any]:
    """Statistics of all three splits together."""
    times = rows.agg(F.min("event_time").cast("double"), F.max("event_time").cast("double")).first()
    first, last = (None, None) if times is None or times[0] is None else (of_seconds(times[0]), of_seconds(times[1]))
    return {
        "dataset": dataset.name,
        "from": first,
        "to": last,
        "columns": column_statistics(rows, dataset.features),
        "label": label_statistics(rows, dataset.target),
    }


def of_seconds(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, timezone.utc))


def iso(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    run(main)
