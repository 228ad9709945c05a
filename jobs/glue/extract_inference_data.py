"""Glue job: one day of a source → inference/input/<dataset>/dt=<day>/part-*.csv, without a header: key, then the features in the model's
order; and a manifest that lists what was written. An empty day is a success, with a manifest of no rows."""

from __future__ import annotations

import json
import sys
from typing import Any, Sequence

import boto3
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from dataset_document import Dataset, parse_dataset
from glue_job import Arguments, JobFailed, run, spark_session
from job_storage import Storage
from row_checks import UNREADABLE, check_rows
from sources import Extract, day_of, source_of
from transform_csv import CSV, key_to_csv
from transformations import deduplicated, typed

# An instance of Batch Transform takes one file at a time.
ROWS_A_FILE = 50_000


def main(arguments: Sequence[str]) -> None:
    parser = Arguments("Extracts a day to score.")
    parser.add_argument("--date", required=True, help="day, UTC")
    parser.add_argument("--file", default="", help="key of a CSV under training/source/ to score instead")
    options = parser.read(arguments)
    day = day_of(options.date)
    storage = Storage(options.bucket, boto3.client("s3"), options.staging_dir)
    document = storage.read_text(f"config/datasets/{options.dataset}.json", "Deploy the stack, which writes the dataset's document.")
    dataset = parse_dataset(document, options.dataset)
    spark = spark_session(f"{dataset.name}: {day}", options.staging_dir)
    extract = source_of(dataset, options, storage, spark).day_rows(day)
    rows, count, duplicates = prepare(extract, dataset)
    prefix = f"inference/input/{dataset.name}/dt={day}"
    # Nobody may read the manifest of an earlier run while this one writes.
    storage.delete(storage.sizes(f"{prefix}.manifest.json"))
    with storage.replacing(f"{prefix}/") as address:
        if count > 0:
            write(rows, count, address)
    manifest: dict[str, Any] = {
        "dataset": dataset.name,
        "date": str(day),
        "rows": count,
        "files": [key for key, size in storage.sizes(f"{prefix}/").items() if size > 0],
        "duplicateKeys": duplicates,
    }
    storage.write_text(f"{prefix}.manifest.json", json.dumps(manifest))
    print(f"{dataset.name} on {day}: {count} rows in {len(manifest['files'])} files, {duplicates} duplicate keys", file=sys.stderr)


def prepare(extract: Extract, dataset: Dataset) -> tuple[DataFrame, int, int]:
    """Raw rows → typed rows, one per key and cached; how many there are; and how many rows repeated the key of a newer row."""
    raw = extract.rows
    checked = typed(raw, dataset.features, UNREADABLE).cache()
    found = check_rows(checked, dataset, extract.place)
    if found > dataset.max_rows:
        raise JobFailed(
            f"{extract.place} has more than {dataset.max_rows} rows, the most that a run accepts. "
            "Raise history.maxRows of the dataset, and the job's workers with it."
        )
    unique = deduplicated(raw, found)
    if unique is raw:
        return checked.drop(UNREADABLE), found, 0
    rows = typed(unique, dataset.features).cache()
    kept = rows.count()
    return rows, kept, found - kept


def write(rows: DataFrame, count: int, address: str) -> None:
    files = max(1, -(-count // ROWS_A_FILE))
    lines = rows.withColumn("key", key_to_csv(F.col("key"))).drop("event_time", "label")
    placed = lines.repartition(files, "key") if files > 1 else lines.coalesce(1)
    placed.sortWithinPartitions("key").write.mode("overwrite").options(**CSV).csv(address)


if __name__ == "__main__":
    run(main)
