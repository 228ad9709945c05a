"""Fixtures of all Python tests: the modules of jobs/glue/ and jobs/sagemaker/ on the path, one Spark session, and stand-ins for AWS."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "jobs" / "glue"), str(ROOT / "jobs" / "sagemaker")]

BUCKET = "pipelines"


def require_conforming(schema: str, content: Any) -> Any:
    """The content, which has to fit schemas/<schema>.schema.json: the same file that the TypeScript at the other end is compiled from."""
    validator = Draft202012Validator(json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8")))
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]
    assert problems == [], f"no {schema} document"
    return content


def numeric(name: str, origin: str = "features", kind: str = "numeric", default: float | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "from": origin, "default": default}


def encoded(name: str, categories: list[str]) -> dict[str, Any]:
    return {"name": name, "type": "categorical", "from": "features", "encoder": "encoded", "categories": categories, "default": None}


def ordinal(name: str, origin: str = "input", default: str | None = None, unknown: int | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "type": "categorical",
        "from": origin,
        "encoder": "ordinal",
        "categories": None,
        "unknown": unknown,
        "default": default,
    }


FEATURES = [numeric("amount"), numeric("flag", kind="boolean"), encoded("category", ["grocery", "travel"]), ordinal("country")]


def document(**changes: Any) -> dict[str, Any]:
    """A dataset's document as a stack may write it; changes replace its members."""
    return require_conforming(
        "dataset",
        {
            "version": 1,
            "name": "fraud",
            "profile": "fraud",
            "source": {"kind": "warehouse"},
            "target": {"name": "label", "kind": "binary"},
            "labels": {"unlabelled": "negative", "maturityDays": 0},
            "history": {"days": 365, "maxRows": 100_000},
            "split": {"by": "time", "validation": 0.2, "holdout": 0.2},
            "quality": {
                "minRows": 10,
                "maxNullRate": 1,
                "minPositiveShare": 0,
                "maxPositiveShare": 1,
                "maxDuplicateKeys": 0,
                "maxDrift": 1,
            },
            "training": {
                "objective": "binary:logistic",
                "rounds": 120,
                "maxDepth": 3,
                "learningRate": 0.2,
                "subsample": 0.8,
                "colsampleByTree": 0.8,
                "minChildWeight": 1,
                "lambda": 1,
                "earlyStoppingRounds": 15,
                "seed": 7,
            },
            "evaluation": {"metric": "auc", "limit": 0.5, "margin": 0, "maxPsi": 1, "goldenRows": 16},
            "features": FEATURES,
        }
        | changes,
    )


class NoSuchKey(Exception):
    pass


class FakeS3:
    """The calls of boto3's S3 client that the scripts make, over a dictionary."""

    class exceptions:
        NoSuchKey = NoSuchKey

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        # Keys in the order of their writing.
        self.written: list[str] = []

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        if Key not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> None:
        assert Bucket == BUCKET
        if Key.endswith("/statistics.json"):
            require_conforming("statistics", json.loads(Body))
        if Key.startswith("inference/input/") and Key.endswith(".manifest.json"):
            require_conforming("manifest", json.loads(Body))
        self.objects[Key] = Body
        self.written.append(Key)

    def get_paginator(self, operation: str) -> "FakeS3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        assert Bucket == BUCKET
        found = [{"Key": key, "Size": len(body)} for key, body in sorted(self.objects.items()) if key.startswith(Prefix)]
        return [{"Contents": found}] if found else [{}]

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        assert Bucket == BUCKET
        for entry in Delete["Objects"]:
            self.objects.pop(entry["Key"], None)
        return {}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.get_object(bucket, key)["Body"].read())

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.put_object(bucket, key, Path(path).read_bytes())

    def put_json(self, key: str, content: Any) -> None:
        self.objects[key] = json.dumps(content).encode()

    def json(self, key: str) -> Any:
        return json.loads(self.objects[key])

    def lines(self, prefix: str) -> list[str]:
        """Lines of all objects under a prefix."""
        return [line for key, body in sorted(self.objects.items()) if key.startswith(prefix) for line in body.decode().splitlines()]


class FakeWarehouse:
    """boto3's redshift-data client: remembers statements, and answers UNLOAD with the rows that a test has put there."""

    def __init__(self, s3: FakeS3) -> None:
        self.s3 = s3
        self.events: list[dict[str, Any]] = []
        self.labels: list[dict[str, Any]] = []
        self.statements: list[str] = []
        self.transactions: list[list[str]] = []

    def execute_statement(self, Sql: str, ClientToken: str, **_: Any) -> dict[str, str]:
        self.statements.append(Sql)
        rows = self.labels if "FROM risk.risk_labels" in Sql else self.events
        prefix = Sql.split(f"TO 's3://{BUCKET}/")[1].split("'")[0]
        if rows:
            self.s3.objects[f"{prefix}0000_part_00"] = "\n".join(json.dumps(row) for row in rows).encode()
        return {"Id": "statement"}

    def batch_execute_statement(self, Sqls: list[str], ClientToken: str, **_: Any) -> dict[str, str]:
        self.transactions.append(Sqls)
        return {"Id": "batch"}

    def describe_statement(self, Id: str) -> dict[str, Any]:
        return {"Status": "FINISHED", "SubStatements": [{"Id": f"{Id}:1"}]}

    def get_statement_result(self, Id: str) -> dict[str, Any]:
        return {"Records": [[{"longValue": 2}]]}


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def warehouse(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> FakeWarehouse:
    """Stands in for both clients that the scripts make."""
    import boto3

    fake = FakeWarehouse(s3)
    monkeypatch.setattr(boto3, "client", {"s3": s3, "redshift-data": fake}.__getitem__)
    return fake


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from glue_job import spark_session

    session = spark_session("tests", tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture
def run_job(spark: Any, s3: FakeS3, warehouse: FakeWarehouse, tmp_path: Path) -> Callable[..., None]:
    """Runs a script's main as the local Glue does."""

    def run(main: Callable[[list[str]], None], **arguments: str) -> None:
        given = {
            "bucket": BUCKET,
            "dataset": "fraud",
            "data_api_workgroup": "group",
            "data_api_database": "risk",
            "unload_role_arn": "arn:aws:iam::000000000000:role/exchange",
            "kms_key_id": "arn:aws:kms:us-east-1:000000000000:key/k",
            "staging_dir": str(tmp_path),
            # Glue's own, which no script knows.
            "JOB_RUN_ID": "jr_1",
        } | arguments
        main([text for name, value in given.items() for text in (f"--{name}", value)])

    return run
