"""Where rows come from: an uploaded CSV file, or one of the two warehouses."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Mapping, Protocol

import boto3
from pyspark.sql import DataFrame, SparkSession

from data_api import DataApi
from dataset_document import Dataset
from glue_job import JobFailed
from job_storage import Storage


@dataclass(frozen=True)
class Extract:
    # Raw rows: see transformations.py. They are read several times, so the source has cached them.
    rows: DataFrame
    # Where they come from, for messages.
    place: str
    # Reason why rows were left out → how many.
    left_out: Mapping[str, int] = field(default_factory=dict)


class Source(Protocol):
    def training_rows(self, as_of: datetime) -> Extract:
        """What was known at as_of, with labels."""
        ...

    def day_rows(self, day: date) -> Extract:
        """Rows of one day, UTC; labels are null."""
        ...


def source_of(dataset: Dataset, arguments: Namespace, storage: Storage, spark: SparkSession) -> Source:
    """A file named by the run takes precedence over the dataset's own source."""
    from file_source import FileSource
    from snowflake_tables import SnowflakeSource
    from warehouse_source import WarehouseSource

    if arguments.file:
        return FileSource(dataset, storage, spark, arguments.file)
    if dataset.source == "files":
        raise JobFailed(
            f"The dataset {dataset.name} learns from files, and this run names none. "
            f'Upload a CSV under training/source/{dataset.name}/ and start the run with "file": "<its key>".'
        )
    if dataset.snowflake is not None:
        return SnowflakeSource(dataset, dataset.snowflake, spark)
    return WarehouseSource(dataset, storage, spark, warehouse_of(arguments), arguments.unload_role_arn, arguments.kms_key_id)


def warehouse_of(arguments: Namespace) -> DataApi:
    missing = [name for name in ("data_api_workgroup", "data_api_database", "unload_role_arn") if not getattr(arguments, name)]
    if missing:
        raise JobFailed(f"The warehouse needs the arguments {', '.join('--' + name for name in missing)}. Add them to the Glue job.")
    return DataApi(
        boto3.client("redshift-data"), arguments.data_api_workgroup, arguments.data_api_database, arguments.database_secret or None
    )


def moment(text: str) -> datetime:
    """An ISO 8601 instant; without a zone it is in UTC."""
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise JobFailed(f"--as_of expects an ISO 8601 time such as 2026-03-01T00:00:00Z, got {text!r}.") from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=timezone.utc)


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise JobFailed(f"--date expects a day such as 2026-03-01, got {text!r}.") from error


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first instants of the day and of the next one, UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return start, start + timedelta(days=1)
