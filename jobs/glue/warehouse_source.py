"""Archived events and their labels, unloaded from Redshift as JSON lines: the warehouse filters by profile and time, Spark does the rest."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, MapType, StringType, StructField, StructType

from data_api import DataApi, literal
from dataset_document import Dataset, Feature
from glue_job import JobFailed
from job_storage import Storage
from row_checks import absent, absent_everywhere, require_columns
from sources import Extract, day_bounds
from transformations import from_archive, is_known_at, milliseconds, newest_labels

LABELS = StructType(
    [
        StructField("key", StringType()),
        # UNLOAD writes the texts t and f: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
        StructField("label", StringType()),
        StructField("labelled_ms", LongType()),
        StructField("received_ms", LongType()),
        StructField("source", StringType()),
    ]
)


class WarehouseSource:
    def __init__(
        self,
        dataset: Dataset,
        storage: Storage,
        spark: SparkSession,
        data_api: DataApi,
        unload_role_arn: str,
        kms_key_id: str | None = None,
    ) -> None:
        """kms_key_id: ARN of the key with which UNLOAD encrypts its files."""
        self._dataset = dataset
        self._storage = storage
        self._spark = spark
        self._data_api = data_api
        self._role = unload_role_arn
        self._key = kms_key_id
        self._place = f"risk.risk_events of profile {dataset.profile}"

    def training_rows(self, as_of: datetime) -> Extract:
        dataset = self._dataset
        until = as_of - timedelta(days=dataset.maturity_days)
        since = until - timedelta(days=dataset.history_days)
        # The window includes both ends, so that an event at this very moment counts when labels need no time to mature.
        window = Window(dataset.profile, since, until + timedelta(milliseconds=1))
        events = self._unload(events_query(dataset.features, window, dataset.max_rows), events_schema(dataset.features), "events")
        given = self._unload(labels_query(window, as_of), LABELS, "labels")
        labels = newest_labels(given.withColumn("label", given["label"].cast("boolean")), as_of)
        is_scored = is_known_at(as_of)
        # Rows to be left out stay in until everything is counted: so the unloaded files are read only once.
        found = from_archive(
            events.join(labels, "key", "left"), dataset.features, is_scored.alias("is_scored"), absent(dataset.features).alias("absent")
        ).cache()
        is_kept = F.col("is_scored") & (F.lit(True) if dataset.unlabelled == "negative" else F.col("label").isNotNull())
        counts = found.agg(
            F.count("*"), F.count_if("is_scored"), F.count_if(is_kept), F.min(F.when(is_kept, F.size("absent")))
        ).first()
        events_found, scored, kept, absent_at_least = counts or (0, 0, 0, 0)
        rows = found.where(is_kept)
        if kept > 0 and absent_at_least > 0:
            require_columns(absent_everywhere(rows, kept), self._place)
        place = f"{self._place} from {since.isoformat()} to {until.isoformat()}"
        left_out = {"scored after asOf": events_found - scored, "without a label": scored - kept}
        labelled = rows.withColumn("label", F.coalesce("label", F.lit("false"))).drop("is_scored", "absent")
        return Extract(labelled, place, left_out)

    def day_rows(self, day: date) -> Extract:
        dataset = self._dataset
        window = Window(dataset.profile, *day_bounds(day))
        query = events_query(dataset.features, window, dataset.max_rows + 1)
        events = self._unload(query, events_schema(dataset.features), f"events of {day}")
        return Extract(from_archive(events, dataset.features).cache(), f"{self._place} on {day}")

    def _unload(self, query: str, schema: StructType, what: str) -> DataFrame:
        """Unloads into a prefix that nobody else writes and that expires in a day."""
        prefix = f"temp/{self._dataset.name}/{uuid.uuid4()}/"
        statement = unload_statement(query, self._storage.url(prefix), self._role, self._key)
        self._data_api.execute(statement, f"Unload of {self._dataset.name}: {what}")
        keys = [key for key, size in self._storage.sizes(prefix).items() if size > 0]
        if not keys:
            return self._spark.createDataFrame([], schema)
        return self._spark.read.schema(schema).json(self._storage.readable(keys), mode="FAILFAST")


def unload_statement(query: str, url: str, role_arn: str, kms_key_id: str | None) -> str:
    """UNLOAD ignores the bucket's own key, so the statement names it."""
    key = f" KMS_KEY_ID {literal(kms_key_id)} ENCRYPTED" if kms_key_id else ""
    return f"UNLOAD ({literal(query)}) TO {literal(url)} IAM_ROLE {literal(role_arn)} FORMAT AS JSON{key}"


@dataclass(frozen=True)
class Window:
    """Events of a profile in a span of time, excluding `before`."""

    profile: str
    since: datetime
    before: datetime

    def condition(self, alias: str) -> str:
        """Compares the leading sort key without an expression, so that blocks outside the window are not read."""
        time = f'{alias}."timestamp"'
        return (
            f"{alias}.profile = {literal(self.profile)} AND {time} >= {_instant(self.since)} AND {time} < {_instant(self.before)}"
        )


def events_query(features: Sequence[Feature], window: Window, limit: int) -> str:
    """The newest `limit` events of a window, and those of the same moment as the oldest of them. Only the parts of the stored input that the
    model needs leave the warehouse."""
    inputs = "".join(
        f', e.input."{_input_name(feature)}" AS i{index}' for index, feature in enumerate(features) if feature.origin == "input"
    )
    return (
        f'SELECT e.event_id AS "key", {_milliseconds(_TIME)} AS event_ms, {_milliseconds("e.scored_at")} AS scored_ms, '
        f"e.features AS features{inputs} FROM risk.risk_events AS e WHERE {window.condition('e')} "
        # UNLOAD doesn't allow LIMIT at the top level. The bound is found in the sort key alone: numbering events and joining them with
        # themselves would sort and compare whole tables, and without statistics some planners do that row by row.
        f'AND e."timestamp" >= (SELECT MIN(newest.moment) FROM (SELECT n."timestamp" AS moment FROM risk.risk_events AS n '
        f'WHERE {window.condition("n")} ORDER BY n."timestamp" DESC LIMIT {limit}) AS newest)'
    )


def labels_query(window: Window, as_of: datetime) -> str:
    """Every label of the window's events that was given by as_of; newest_labels decides which one counts."""
    return (
        f'SELECT l.event_id AS "key", l.label AS label, {_milliseconds("l.labelled_at")} AS labelled_ms, '
        f'{_milliseconds("l.received_at")} AS received_ms, l.source AS source FROM risk.risk_labels AS l '
        f"JOIN (SELECT n.event_id FROM risk.risk_events AS n WHERE {window.condition('n')}) AS e ON e.event_id = l.event_id "
        f"WHERE l.labelled_at <= {_instant(as_of)}"
    )


def events_schema(features: Sequence[Feature]) -> StructType:
    """SUPER arrives as JSON: `features` an object of numbers and nulls, an input field any scalar. Both are read as text, to lose no digits."""
    inputs = [StructField(f"i{index}", StringType()) for index, feature in enumerate(features) if feature.origin == "input"]
    return StructType(
        [
            StructField("key", StringType()),
            StructField("event_ms", LongType()),
            StructField("scored_ms", LongType()),
            StructField("features", MapType(StringType(), StringType())),
            *inputs,
        ]
    )


_TIME = 'e."timestamp"'


def _input_name(feature: Feature) -> str:
    if feature.name != feature.name.lower() or '"' in feature.name:
        raise JobFailed(
            f"The feature {feature.name} of the stored input cannot be read from Redshift, which folds names to lower case. "
            "Give the input field a lower-case name."
        )
    return feature.name


def _milliseconds(column: str) -> str:
    return f"DATEDIFF(millisecond, '1970-01-01'::TIMESTAMP, {column} AT TIME ZONE 'UTC')"


def _instant(moment: datetime) -> str:
    """To the millisecond, like events."""
    seconds, thousandths = divmod(milliseconds(moment), 1000)
    return f"'{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S}.{thousandths:03d}+00'::TIMESTAMPTZ"
