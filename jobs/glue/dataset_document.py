"""The dataset document, as far as the jobs need it: what a model learns from and scores in batch.

Its shape is schemas/dataset.schema.json. The stack writes it to config/datasets/<dataset>.json, and the first state of every execution,
pipeline-plan, refuses an invalid one, so the jobs read it without checking it again. (Glue 5.0 doesn't provide jsonschema, and installing
it would take a compiled wheel and the network at every run: AWS Glue Developer Guide, "Python modules already provided in AWS Glue".)"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Mapping

from glue_job import JobFailed


@dataclass(frozen=True)
class Feature:
    name: str
    type: Literal["numeric", "boolean", "categorical"]
    # Where an archived record has the value: among the `features` it was scored with, or in its stored `input`.
    origin: Literal["features", "input"]
    # Text in the source, which the model encodes; anything else is a number.
    is_text: bool
    # The categories of a feature that the profile has encoded: a source may give the category instead of its index.
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    name: str
    kind: Literal["binary", "regression"]
    minimum: float
    maximum: float


@dataclass(frozen=True)
class SnowflakeTable:
    connection: str
    database: str
    schema: str
    warehouse: str
    table: str
    key_column: str
    time_column: str
    target_column: str


@dataclass(frozen=True)
class Split:
    by: Literal["time", "hash"]
    validation: float
    holdout: float


@dataclass(frozen=True)
class Dataset:
    name: str
    profile: str
    # None for a warehouse or files source.
    snowflake: SnowflakeTable | None
    source: Literal["warehouse", "snowflake", "files"]
    target: Target
    unlabelled: Literal["negative", "drop"]
    maturity_days: float
    history_days: float
    max_rows: int
    split: Split
    features: tuple[Feature, ...]


def parse_dataset(text: str, name: str) -> Dataset:
    """Reads the document of the dataset `name`. Raises JobFailed, which names what is wrong with it."""
    place = f"config/datasets/{name}.json"
    try:
        document: Mapping[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise JobFailed(f"{place} is not JSON ({error}). Deploy the stack again, which writes it.") from error
    if document.get("version") != 1 or document.get("name") != name:
        raise JobFailed(
            f"{place} has version {document.get('version')} and dataset {document.get('name')}, expected version 1 and {name}. "
            "Deploy the stack and its scripts together."
        )
    try:
        return _dataset(document)
    except (KeyError, TypeError) as error:
        raise JobFailed(f"{place} lacks or misspells the field {error}. Deploy the stack again, which writes it.") from error


def _dataset(document: Mapping[str, Any]) -> Dataset:
    source, target, split = document["source"], document["target"], document["split"]
    is_binary = target["kind"] == "binary"
    return Dataset(
        name=document["name"],
        profile=document["profile"],
        snowflake=_snowflake(source) if source["kind"] == "snowflake" else None,
        source=source["kind"],
        target=Target(
            name=target["name"],
            kind=target["kind"],
            minimum=0.0 if is_binary else float(target["minimum"]),
            maximum=1.0 if is_binary else float(target["maximum"]),
        ),
        unlabelled=document["labels"]["unlabelled"],
        maturity_days=document["labels"]["maturityDays"],
        history_days=document["history"]["days"],
        max_rows=int(document["history"]["maxRows"]),
        split=Split(by=split["by"], validation=split["validation"], holdout=split["holdout"]),
        features=tuple(
            Feature(
                name=entry["name"],
                type=entry["type"],
                origin=entry["from"],
                is_text=_is_text(entry),
                categories=tuple(entry["categories"]) if entry["type"] == "categorical" and not _is_text(entry) else (),
            )
            for entry in document["features"]
        ),
    )


def _is_text(entry: Mapping[str, Any]) -> bool:
    return entry["type"] == "categorical" and entry["encoder"] == "ordinal"


def _snowflake(source: Mapping[str, Any]) -> SnowflakeTable:
    return SnowflakeTable(
        connection=source["connection"],
        database=source["database"],
        schema=source["schema"],
        warehouse=source["warehouse"],
        table=source["table"],
        key_column=source["keyColumn"],
        time_column=source["timeColumn"],
        target_column=source["targetColumn"],
    )
