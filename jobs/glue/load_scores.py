"""Glue job: output of Batch Transform (key, prediction) → the warehouse, by MERGE on dataset, day and key.

Everything is checked before anything is written: there is one score for every row of the day's manifest and none for another, each on the
scale. Messages count problems and quote only numbers: they end in logs and mails, and keys may be people's names."""

from __future__ import annotations

import json
import re
import sys
from datetime import date, datetime, timezone
from typing import Any, Mapping, Sequence

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

import warehouse_sink
from dataset_document import Dataset, Target, parse_dataset
from glue_job import Arguments, JobFailed, name, run, spark_session
from job_storage import Storage
from snowflake_tables import SnowflakeSink
from sources import day_of, warehouse_of
from transform_csv import CSV, key_from_csv

EXAMPLES = 3
# A number, and nothing that only looks like one, such as a date or an IP address.
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf(inity)?", re.IGNORECASE)
OUTPUT = StructType([StructField(column, StringType()) for column in ("key", "prediction", "broken")])


def main(arguments: Sequence[str]) -> None:
    parser = Arguments("Loads the scores of a day.")
    parser.add_argument("--date", required=True, help="day, UTC")
    parser.add_argument("--model_name", required=True, type=name, help="model that made the scores")
    options = parser.read(arguments)
    day = day_of(options.date)
    storage = Storage(options.bucket, boto3.client("s3"), options.staging_dir)
    document = storage.read_text(f"config/datasets/{options.dataset}.json", "Deploy the stack, which writes the dataset's document.")
    dataset = parse_dataset(document, options.dataset)
    manifest = json.loads(
        storage.read_text(f"inference/input/{dataset.name}/dt={day}.manifest.json", "Extract the day first: extract_inference_data.py.")
    )
    if manifest["rows"] == 0:
        print(f"{dataset.name} on {day}: an empty day, no scores to load", file=sys.stderr)
        return
    spark = spark_session(f"{dataset.name}: scores of {day}", options.staging_dir)
    inputs = read_keys(spark, storage, manifest)
    outputs = read_output(spark, storage, output_keys(storage, manifest)).cache()
    check(inputs, outputs, manifest, dataset)
    scores = rows_of(outputs, dataset, day, options.model_name, datetime.now(timezone.utc))
    if dataset.snowflake is not None:
        SnowflakeSink(dataset.snowflake, spark).write(scores, dataset.name, day)
        print(f"{dataset.name} on {day}: {manifest['rows']} scores merged into Snowflake", file=sys.stderr)
        return
    copy_manifest = hand_over(scores, storage, f"inference/scores/{dataset.name}/dt={day}")
    changed = warehouse_sink.merge(warehouse_of(options), copy_manifest, options.unload_role_arn, f"Scores of {dataset.name} on {day}")
    print(f"{dataset.name} on {day}: {manifest['rows']} scores, {changed} rows changed in risk.batch_scores", file=sys.stderr)


def output_keys(storage: Storage, manifest: Mapping[str, Any]) -> list[str]:
    """Batch Transform writes <file>.out for every file; outputs of an earlier extract are ignored."""
    prefix = f"inference/output/{manifest['dataset']}/dt={manifest['date']}/"
    found = storage.sizes(prefix)
    expected = [f"{prefix}{key.rsplit('/', 1)[-1]}.out" for key in manifest["files"]]
    missing = [key for key in expected if key not in found]
    if missing:
        raise JobFailed(
            f"The transform output of {manifest['dataset']} on {manifest['date']} lacks {len(missing)} of {len(expected)} files, such as "
            f"{storage.url(missing[0])}. Nothing was loaded. Run the day again."
        )
    return expected


def read_keys(spark: SparkSession, storage: Storage, manifest: Mapping[str, Any]) -> DataFrame:
    lines = spark.read.options(**CSV).csv(storage.readable(manifest["files"]))
    return lines.select(F.coalesce(F.col(lines.columns[0]), F.lit("")).alias("key"))


def read_output(spark: SparkSession, storage: Storage, keys: Sequence[str]) -> DataFrame:
    """key, prediction (text), broken (the line, if it doesn't have two fields)."""
    return (
        spark.read.schema(OUTPUT)
        .options(**CSV, mode="PERMISSIVE", columnNameOfCorruptRecord="broken")
        .csv(storage.readable(keys))
        .select(F.coalesce("key", F.lit("")).alias("key"), "prediction", "broken")
    )


def check(inputs: DataFrame, outputs: DataFrame, manifest: Mapping[str, Any], dataset: Dataset) -> None:
    """Raises JobFailed with every problem of the output."""
    problems: list[str] = []
    expected, found = manifest["rows"], outputs.count()
    extracted = inputs.count()
    if extracted != expected:
        problems.append(f"the extract holds {extracted} rows and its manifest says {expected}")
    if found != expected:
        problems.append(f"it has {found} rows, expected {expected}")
    problem(problems, "lines are not of the form key,prediction", outputs.where("broken IS NOT NULL"))
    whole = outputs.where("broken IS NULL")
    problem(problems, "keys occur more than once", whole.groupBy("key").count().where("count > 1"))
    problem(problems, "keys of the extract have no score", inputs.join(whole, "key", "left_anti"))
    problem(problems, "keys are not in the extract", whole.join(inputs, "key", "left_anti"))
    score = score_of(F.col("prediction"))
    is_finite = score.isNotNull() & ~F.isnan(score) & (F.abs(score) != float("inf"))
    problem(problems, "scores are not finite numbers", whole.where(~is_finite), quoted=True)
    low, high = scale_of(dataset.target)
    problem(problems, f"scores are outside {low:g} to {high:g}", whole.where(is_finite & ~score.between(low, high)), quoted=True)
    if problems:
        raise JobFailed(
            f"The transform output of {dataset.name} on {manifest['date']} does not fit its extract: {'; '.join(problems)}. "
            "Nothing was loaded. Run the day again; if that does not help, check the model with its report under models/."
        )


def problem(problems: list[str], what: str, rows: DataFrame, quoted: bool = False) -> None:
    """quoted: examples of the predictions are quoted, as far as they are numbers."""
    count = rows.count()
    if count > 0:
        found = rows.orderBy("prediction").select("prediction").limit(EXAMPLES).collect() if quoted else []
        examples = [shown(row["prediction"]) for row in found] + (["…"] if quoted and count > EXAMPLES else [])
        problems.append(f"{count} {what}" + (f" ({', '.join(examples)})" if examples else ""))


def shown(prediction: str | None) -> str:
    if prediction is None or prediction.strip() == "":
        return "empty"
    return prediction.strip() if NUMBER.fullmatch(prediction.strip()) else "text"


def score_of(prediction: Any) -> Any:
    return F.trim(prediction).cast("double")


def scale_of(target: Target) -> tuple[float, float]:
    return target.minimum, target.maximum


def rows_of(outputs: DataFrame, dataset: Dataset, day: date, model_name: str, scored_at: datetime) -> DataFrame:
    return outputs.select(
        F.lit(dataset.name).alias("dataset"),
        key_from_csv(F.col("key")).alias("event_id"),
        F.lit(str(day)).alias("score_date"),
        score_of(F.col("prediction")).alias("score"),
        F.lit(dataset.target.maximum).alias("score_scale"),
        F.lit(model_name).alias("model_version"),
        # COPY's TIMEFORMAT 'auto' reads ISO 8601.
        F.lit(f"{scored_at:%Y-%m-%dT%H:%M:%S}Z").alias("scored_at"),
    )


def hand_over(scores: DataFrame, storage: Storage, prefix: str) -> str:
    """Writes gzipped JSON lines and a COPY manifest of them. Returns the manifest's address."""
    with storage.replacing(f"{prefix}/") as address:
        scores.write.mode("overwrite").json(address, compression="gzip")
    entries = [
        {"url": storage.url(key), "mandatory": True, "meta": {"content_length": size}}
        for key, size in storage.sizes(f"{prefix}/").items()
    ]
    storage.write_text(f"{prefix}.manifest.json", json.dumps({"entries": entries}))
    return storage.url(f"{prefix}.manifest.json")


if __name__ == "__main__":
    run(main)
