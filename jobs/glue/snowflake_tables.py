"""Snowflake through Glue's native connector: the connection names the account and the key-pair secret, so the job never sees a credential.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-snowflake-home.html"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any, Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dataset_document import Dataset, SnowflakeTable
from glue_job import JobFailed
from sources import Extract, day_bounds
from transformations import slot


class SnowflakeSource:
    def __init__(self, dataset: Dataset, table: SnowflakeTable, spark: SparkSession, glue_context: Any = None) -> None:
        """glue_context: default Glue's own."""
        self._dataset = dataset
        self._table = table
        self._glue = glue_context or _glue_context(spark)
        self._place = f"Snowflake's {table.database}.{table.schema}.{table.table}"

    def training_rows(self, as_of: datetime) -> Extract:
        # The window includes its end: events at as_of are known.
        return self._read(as_of - timedelta(days=self._dataset.history_days), as_of + timedelta(milliseconds=1), self._dataset.max_rows, True)

    def day_rows(self, day: date) -> Extract:
        return self._read(*day_bounds(day), self._dataset.max_rows + 1, False)

    def _read(self, since: datetime, before: datetime, limit: int, with_label: bool) -> Extract:
        query = rows_query(self._dataset, self._table, since, before, limit, with_label)
        options = {**connection_options(self._table), "query": query, "autopushdown": "on"}
        frame: DataFrame = self._glue.create_dynamic_frame.from_options(
            connection_type="snowflake", connection_options=options
        ).toDF()
        rows = frame.select(
            F.col("K").cast("string").alias("key"),
            F.col("T").cast("timestamp").alias("event_time"),
            F.col("L").cast("string").alias("label"),
            F.lit(None).cast("long").alias("position"),
            *[F.col(f"F{index}").cast("string").alias(slot(index)) for index in range(len(self._dataset.features))],
        )
        return Extract(rows.cache(), f"{self._place} from {since.isoformat()} to {before.isoformat()}")


class SnowflakeSink:
    """Scores go to the table <table>_SCORES beside the source: into a table of this run, then with one MERGE, so that running a day again
    changes nothing."""

    def __init__(self, table: SnowflakeTable, spark: SparkSession, glue_context: Any = None, frames: Any = None) -> None:
        self._table = table
        self._glue = glue_context or _glue_context(spark)
        self._frames = frames

    def write(self, scores: DataFrame, dataset: str, day: date) -> None:
        """scores: dataset, event_id, score_date, score, score_scale, model_version, scored_at."""
        frames = self._frames
        if frames is None:
            from awsglue.dynamicframe import DynamicFrame  # only on Glue

            frames = DynamicFrame
        staging = f"{self._table.table}_SCORES_STAGING_{day:%Y%m%d}"
        upper = scores.select(*[F.col(name).alias(name.upper()) for name in scores.columns])
        self._glue.write_dynamic_frame.from_options(
            frame=frames.fromDF(upper, self._glue, "scores"),
            connection_type="snowflake",
            connection_options={**connection_options(self._table), "dbtable": _quoted(staging), **merge_actions(self._table, staging)},
        )


def connection_options(table: SnowflakeTable) -> dict[str, str]:
    return {
        "connectionName": table.connection,
        "sfDatabase": table.database,
        "sfSchema": table.schema,
        "sfWarehouse": table.warehouse,
    }


def rows_query(dataset: Dataset, table: SnowflakeTable, since: datetime, before: datetime, limit: int, with_label: bool) -> str:
    """Snowflake runs the whole query; columns get plain names, since a feature may be called anything."""
    label = _quoted(table.target_column) if with_label else "NULL"
    features = "".join(f", {_quoted(feature.name)} AS F{index}" for index, feature in enumerate(dataset.features))
    time = _quoted(table.time_column)
    return (
        f"SELECT {_quoted(table.key_column)} AS K, {time} AS T, {label} AS L{features} FROM {_quoted(table.table)} "
        f"WHERE {time} >= {_instant(since)} AND {time} < {_instant(before)} "
        f"ORDER BY {time} DESC, {_quoted(table.key_column)} LIMIT {limit}"
    )


def merge_actions(table: SnowflakeTable, staging: str) -> Mapping[str, str]:
    """Statements before and after the connector fills the staging table. Rows that say nothing new are left alone."""
    target, source = _quoted(f"{table.table}_SCORES"), _quoted(staging)
    columns: Sequence[str] = ("DATASET", "EVENT_ID", "SCORE_DATE", "SCORE", "SCORE_SCALE", "MODEL_VERSION", "SCORED_AT")
    create = (
        f"CREATE TABLE IF NOT EXISTS {target} (DATASET VARCHAR, EVENT_ID VARCHAR, SCORE_DATE DATE, SCORE DOUBLE, SCORE_SCALE DOUBLE, "
        "MODEL_VERSION VARCHAR, SCORED_AT TIMESTAMP_TZ, LOADED_AT TIMESTAMP_TZ)"
    )
    merge = (
        f"MERGE INTO {target} t USING {source} s ON t.DATASET = s.DATASET AND t.SCORE_DATE = s.SCORE_DATE AND t.EVENT_ID = s.EVENT_ID "
        "WHEN MATCHED AND (t.SCORE <> s.SCORE OR t.SCORE_SCALE <> s.SCORE_SCALE OR t.MODEL_VERSION <> s.MODEL_VERSION) THEN UPDATE SET "
        "t.SCORE = s.SCORE, t.SCORE_SCALE = s.SCORE_SCALE, t.MODEL_VERSION = s.MODEL_VERSION, t.SCORED_AT = s.SCORED_AT, "
        "t.LOADED_AT = CURRENT_TIMESTAMP() "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}, LOADED_AT) "
        f"VALUES ({', '.join(f's.{column}' for column in columns)}, CURRENT_TIMESTAMP())"
    )
    # DDL commits in Snowflake, so the staging table is dropped after the transaction; one left by a failed run is dropped before the next.
    return {
        "preactions": f"{create}; DROP TABLE IF EXISTS {source}",
        "postactions": f"BEGIN; {merge}; COMMIT; DROP TABLE IF EXISTS {source}",
    }


def _glue_context(spark: SparkSession) -> Any:
    try:
        from awsglue.context import GlueContext  # only on Glue
    except ImportError as error:
        raise JobFailed(
            "Snowflake is read by Glue's native connector, which exists only on AWS. "
            'On one machine start the run with "file", or give the dataset a files source.'
        ) from error
    return GlueContext(spark.sparkContext)


def _quoted(name: str) -> str:
    """An identifier in the spelling of the configuration: unquoted names are upper case in Snowflake."""
    return '"' + name.replace('"', '""') + '"'


def _instant(moment: datetime) -> str:
    return f"'{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S.%f} +00:00'::TIMESTAMP_TZ"
