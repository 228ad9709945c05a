"""A CSV file with a header: key, [time], features …, label."""

from __future__ import annotations

from datetime import date, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from dataset_document import Dataset
from glue_job import JobFailed
from job_storage import Storage
from row_checks import require_columns
from sources import Extract, day_bounds
from transformations import slot

TIME_COLUMNS = ("event_time", "time", "timestamp")


class FileSource:
    """The key is the column `key`, or else the first one; the time, if any, `event_time`, `time` or `timestamp`; the label `label` or the
    target's name."""

    def __init__(self, dataset: Dataset, storage: Storage, spark: SparkSession, key: str) -> None:
        self._dataset = dataset
        self._storage = storage
        self._spark = spark
        self._key = key
        self._place = storage.url(key)

    def training_rows(self, as_of: datetime) -> Extract:
        rows = self._rows(with_label=True)
        is_known = F.col("event_time").isNull() | (F.col("event_time") <= F.lit(as_of))
        counts = rows.agg(F.count_if(~is_known)).first()
        return Extract(rows.where(is_known), self._place, {"later than asOf": counts[0] if counts else 0})

    def day_rows(self, day: date) -> Extract:
        """Rows of the day, or the whole file if it has no times."""
        start, end = day_bounds(day)
        rows = self._rows(with_label=False)
        moment = F.col("event_time")
        return Extract(rows.where(moment.isNull() | ((moment >= F.lit(start)) & (moment < F.lit(end)))), self._place)

    def _rows(self, with_label: bool) -> DataFrame:
        features, target = self._dataset.features, self._dataset.target
        if not self._storage.sizes(self._key):
            raise JobFailed(f"The file {self._place} does not exist. Upload it, or correct the run's input \"file\".")
        frame = self._spark.read.csv(self._storage.readable([self._key]), header=True, escape='"', multiLine=True, mode="FAILFAST")
        header = frame.columns
        names = {feature.name for feature in features}
        time_column = next((name for name in TIME_COLUMNS if name in header and name not in names), None)
        label_column = next((name for name in ("label", target.name) if name in header and name not in names), None)
        first = next((name for name in header[:1] if name not in names | {time_column, label_column}), None)
        key_column = "key" if "key" in header else first
        absent = [feature.name for feature in features if feature.name not in header]
        absent += ["key"] if key_column is None else []
        absent += [f"label (or {target.name})"] if with_label and label_column is None else []
        # The first line of a file without a header is a row, and messages must not quote its values.
        is_header = time_column or label_column or "key" in header or not names.isdisjoint(header)
        require_columns(absent, self._place, header if is_header else ["other names in the first line. Does the file have a header?"])
        read = frame.select(
            _column(str(key_column)).alias("key"),
            (F.to_timestamp(_column(time_column)) if time_column else F.lit(None).cast("timestamp")).alias("event_time"),
            (_column(label_column) if with_label and label_column else F.lit(None).cast("string")).alias("label"),
            F.monotonically_increasing_id().alias("position"),
            *[_column(feature.name).alias(slot(index)) for index, feature in enumerate(features)],
        )
        # One task reads the whole file, since a value may contain a line break; all tasks work on its rows.
        rows = read.repartition(self._spark.sparkContext.defaultParallelism, "position").cache()
        if time_column:
            unreadable = rows.where("event_time IS NULL").count()
            if unreadable > 0:
                raise JobFailed(
                    f"{self._place}: column {time_column} expects times such as 2026-03-01T12:00:00Z, and {unreadable} rows have none. "
                    "Correct the file, or leave the column out."
                )
        return rows


def _column(name: str) -> Column:
    """A column whose name may contain dots."""
    return F.col("`" + name.replace("`", "``") + "`")
