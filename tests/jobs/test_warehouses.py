"""The Data API's conversation, and what is said to Snowflake."""

from datetime import date, datetime, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError
from conftest import document

import warehouse_sink
from data_api import ATTEMPTS, DataApi, literal
from dataset_document import SnowflakeTable, parse_dataset
from glue_job import JobFailed
from snowflake_tables import SnowflakeSink, SnowflakeSource, merge_actions, rows_query
from warehouse_source import unload_statement


class Client:
    """Answers each submission with the next list of states."""

    def __init__(self, *answers: list[dict[str, Any]] | ClientError) -> None:
        self.answers = list(answers)
        self.tokens: list[str] = []
        self.cancelled: list[str] = []
        self.states: list[dict[str, Any]] = []

    def batch_execute_statement(self, ClientToken: str, **request: Any) -> dict[str, str]:
        self.tokens.append(ClientToken)
        assert request["WorkgroupName"] == "group" and request["Database"] == "risk"
        answer = self.answers.pop(0)
        if isinstance(answer, ClientError):
            raise answer
        self.states = answer
        return {"Id": "id"}

    def describe_statement(self, Id: str) -> dict[str, Any]:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def cancel_statement(self, Id: str) -> None:
        self.cancelled.append(Id)

    def get_statement_result(self, Id: str) -> dict[str, Any]:
        assert Id == "id:2"
        return {"Records": [[{"longValue": 3}, {"isNull": True}]]}


FINISHED = {"Status": "FINISHED", "SubStatements": [{"Id": "id:1"}, {"Id": "id:2"}]}


def failed(reason: str) -> dict[str, Any]:
    return {"Status": "FAILED", "Error": "batch failed", "SubStatements": [{"Status": "FINISHED"}, {"Status": "FAILED", "Error": reason}]}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "BatchExecuteStatement")


def api(client: Client, clock: list[float] | None = None) -> DataApi:
    time = clock if clock is not None else [0.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    return DataApi(client, "group", "risk", sleep=sleep, now=lambda: time[0])


def test_a_transaction_is_done_only_when_it_is_finished() -> None:
    client = Client([{"Status": "SUBMITTED"}, {"Status": "STARTED"}, FINISHED])
    assert api(client).transaction(["DELETE", "SELECT"], "Load") == [[3, None]]


def test_a_temporary_failure_is_retried_with_another_token() -> None:
    client = Client(
        refusal("ActiveStatementsExceededException"), [failed("1023 serializable isolation violation")], [FINISHED]
    )
    api(client).transaction(["DELETE", "SELECT"], "Load")
    assert len(set(client.tokens)) == 3


def test_a_failure_reports_the_reason_of_the_statement() -> None:
    with pytest.raises(JobFailed, match="Load failed in the warehouse and changed nothing: column x does not exist"):
        api(Client([failed("column x does not exist")])).transaction(["DELETE", "SELECT"], "Load")
    with pytest.raises(JobFailed, match="the statement was aborted"):
        api(Client([{"Status": "ABORTED"}])).transaction(["DELETE", "SELECT"], "Load")
    with pytest.raises(JobFailed, match="did not accept the statement: .*ValidationException"):
        api(Client(refusal("ValidationException"))).transaction(["DELETE", "SELECT"], "Load")


def test_attempts_are_limited() -> None:
    client = Client(*[[failed("connection reset")]] * 9)
    with pytest.raises(JobFailed, match="connection reset"):
        api(client).transaction(["DELETE", "SELECT"], "Load")
    assert len(client.tokens) == ATTEMPTS


def test_a_statement_that_never_ends_is_cancelled() -> None:
    client = Client([{"Status": "STARTED"}])
    with pytest.raises(JobFailed, match="still STARTED after 1800 s and was cancelled"):
        api(client).transaction(["DELETE", "SELECT"], "Load")
    assert client.cancelled == ["id"]


def test_texts_are_quoted_as_redshift_reads_them() -> None:
    assert literal("a'b\\c") == "'a''b\\\\c'"


def test_the_merge_touches_only_what_changed() -> None:
    lock, create, copy, delete, merge, count = warehouse_sink.merge_statements("s3://b/m.json", "arn:role")
    assert (lock, create) == ("LOCK TABLE risk.batch_scores", "CREATE TEMP TABLE staged (LIKE risk.batch_scores_staging)")
    assert copy.startswith("COPY staged (dataset, score_date, event_id, score, score_scale, model_version, scored_at) FROM 's3://b/m.json'")
    assert "batch_scores.score = staged.score" in delete and "scored_at" not in delete
    assert merge.count("WHEN") == 2 and merge.startswith("MERGE INTO risk.batch_scores USING staged ON batch_scores.dataset = staged.dataset")
    assert count == "SELECT COUNT(*) AS changed FROM staged"


@pytest.mark.parametrize(
    ("key", "clause"),
    [("arn:aws:kms:us-east-1:1:key/k", " KMS_KEY_ID 'arn:aws:kms:us-east-1:1:key/k' ENCRYPTED"), (None, ""), ("", "")],
)
def test_an_extract_is_encrypted_with_the_key_of_the_job(key: str | None, clause: str) -> None:
    statement = unload_statement("SELECT 1 AS a", "s3://b/temp/x/", "arn:role", key)
    assert statement == f"UNLOAD ('SELECT 1 AS a') TO 's3://b/temp/x/' IAM_ROLE 'arn:role' FORMAT AS JSON{clause}"


TABLE = SnowflakeTable("snowflake", "ANALYTICS", "DEVICE", "LOADING", "DEVICES", "REQUEST_ID", "SEEN_AT", "IPQS_DEVICE_FP_FRAUD_SCORE")


def snowflake_dataset() -> Any:
    import json

    source = {
        "kind": "snowflake", "connection": "snowflake", "database": "ANALYTICS", "schema": "DEVICE", "warehouse": "LOADING",
        "table": "DEVICES", "keyColumn": "REQUEST_ID", "timeColumn": "SEEN_AT", "targetColumn": "IPQS_DEVICE_FP_FRAUD_SCORE",
    }  # fmt: skip
    target = {"name": "IPQS_DEVICE_FP_FRAUD_SCORE", "kind": "regression", "minimum": 0, "maximum": 100}
    return parse_dataset(json.dumps(document(source=source, target=target)), "fraud")


class Glue:
    """Glue's context with its native connector."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.options: dict[str, Any] = {}
        self.create_dynamic_frame = self
        self.write_dynamic_frame = self

    def from_options(self, connection_type: str, connection_options: dict[str, Any], frame: Any = None) -> "Glue":
        assert connection_type == "snowflake"
        self.options = connection_options
        self.frame = self.frame if frame is None else frame
        return self

    def toDF(self) -> Any:
        return self.frame


def test_snowflake_runs_the_query_itself(spark: Any) -> None:
    rows = [("r1", datetime(2026, 2, 1), 42.5, 1.25, True, 1, "DE"), ("r2", datetime(2026, 2, 2), None, None, False, None, None)]
    frame = spark.createDataFrame(rows, "K string, T timestamp, L double, F0 double, F1 boolean, F2 int, F3 string")
    glue = Glue(frame)
    extract = SnowflakeSource(snowflake_dataset(), TABLE, spark, glue).training_rows(datetime(2026, 3, 1, tzinfo=timezone.utc))
    assert [tuple(row)[2:] for row in extract.rows.orderBy("key").collect()] == [
        ("42.5", None, "1.25", "true", "1", "DE"),
        (None, None, None, "false", None, None),
    ]
    assert {name: glue.options[name] for name in ("connectionName", "sfDatabase", "sfSchema", "sfWarehouse")} == {
        "connectionName": "snowflake", "sfDatabase": "ANALYTICS", "sfSchema": "DEVICE", "sfWarehouse": "LOADING",
    }  # fmt: skip
    query = glue.options["query"]
    assert query.startswith('SELECT "REQUEST_ID" AS K, "SEEN_AT" AS T, "IPQS_DEVICE_FP_FRAUD_SCORE" AS L, "amount" AS F0')
    assert "\"SEEN_AT\" >= '2025-03-01 00:00:00.000000 +00:00'::TIMESTAMP_TZ" in query and query.endswith("LIMIT 100000")


def test_a_day_from_snowflake_needs_no_target() -> None:
    start, end = datetime(2026, 2, 1, tzinfo=timezone.utc), datetime(2026, 2, 2, tzinfo=timezone.utc)
    assert "NULL AS L" in rows_query(snowflake_dataset(), TABLE, start, end, 10, False)


def test_scores_are_merged_into_snowflake(spark: Any) -> None:
    class Frames:
        fromDF = staticmethod(lambda frame, context, name: frame)

    glue = Glue(None)
    scores = spark.createDataFrame([("device", "r1", 0.5)], "dataset string, event_id string, score double")
    SnowflakeSink(TABLE, spark, glue, Frames).write(scores, "device", date(2026, 2, 1))
    assert glue.frame.columns == ["DATASET", "EVENT_ID", "SCORE"]
    assert glue.options["dbtable"] == '"DEVICES_SCORES_STAGING_20260201"'
    actions = merge_actions(TABLE, "DEVICES_SCORES_STAGING_20260201")
    assert {name: glue.options[name] for name in ("preactions", "postactions")} == actions
    assert actions["preactions"].startswith('CREATE TABLE IF NOT EXISTS "DEVICES_SCORES"')
    assert 'MERGE INTO "DEVICES_SCORES" t USING "DEVICES_SCORES_STAGING_20260201" s' in actions["postactions"]


def test_snowflake_needs_glue(spark: Any) -> None:
    with pytest.raises(JobFailed, match="exists only on AWS. On one machine start the run with \"file\""):
        SnowflakeSource(snowflake_dataset(), TABLE, spark)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "has version 2 and dataset fraud, expected version 1"),
        ({"name": "churn"}, "has version 1 and dataset churn, expected version 1 and fraud"),
        ({"split": {"by": "time"}}, "lacks or misspells the field 'validation'"),
    ],
)
def test_a_document_of_another_release_is_refused(change: dict[str, Any], message: str) -> None:
    import json

    with pytest.raises(JobFailed, match=message):
        parse_dataset(json.dumps(document() | change), "fraud")


def test_a_document_that_is_not_json_is_refused() -> None:
    with pytest.raises(JobFailed, match="is not JSON"):
        parse_dataset("{", "fraud")
