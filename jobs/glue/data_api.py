"""Runs statements in the warehouse through the Redshift Data API: submits them, then polls until they are FINISHED. SUBMITTED means
nothing yet. https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html"""

from __future__ import annotations

import re
import time
import uuid
from typing import Any, Callable, Sequence

from botocore.exceptions import ClientError

from glue_job import JobFailed

FIRST_POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 5.0
TIMEOUT_SECONDS = 1800.0
ATTEMPTS = 4
# Refusals that pass: too many requests at once, or a serverless workgroup that is still waking up.
PASSING_CODES = frozenset({"ActiveStatementsExceededException", "DatabaseConnectionException", "InternalServerException"})
# Reasons of FAILED that pass: a broken connection, or another transaction that won (1023).
PASSING_REASONS = re.compile(
    r"resum(e|ing)|could not (open|establish) (a )?connection|connection (was )?(refused|reset|timed out)"
    r"|serializable isolation violation|could not serialize|\b1023\b|deadlock",
    re.IGNORECASE,
)


class DataApi:
    def __init__(
        self,
        client: Any,
        workgroup: str,
        database: str,
        secret_arn: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """client is boto3's redshift-data. Without a secret the caller's own role signs in."""
        self._client = client
        self._target = {"WorkgroupName": workgroup, "Database": database, **({"SecretArn": secret_arn} if secret_arn else {})}
        self._sleep = sleep
        self._now = now

    def execute(self, sql: str, what: str) -> None:
        """Runs one statement. Raises JobFailed with the warehouse's reason."""
        self._finished(lambda token: self._client.execute_statement(Sql=sql, ClientToken=token, StatementName=what, **self._target), what)

    def transaction(self, statements: Sequence[str], what: str) -> list[list[Any]]:
        """Runs statements in one transaction: all of them or none. Returns the rows of the last one, which is a SELECT."""
        state = self._finished(
            lambda token: self._client.batch_execute_statement(
                Sqls=list(statements), ClientToken=token, StatementName=what, **self._target
            ),
            what,
        )
        records = self._client.get_statement_result(Id=state["SubStatements"][-1]["Id"])["Records"]
        return [[None if field.get("isNull") else next(iter(field.values())) for field in record] for record in records]

    def _finished(self, submit: Callable[[str], dict[str, Any]], what: str) -> dict[str, Any]:
        """A failed attempt was rolled back completely, so after a temporary failure the statement is submitted as a new attempt."""
        for attempt in range(ATTEMPTS):
            is_last = attempt + 1 == ATTEMPTS
            try:
                # The token makes a repeated submission of one attempt harmless: the SDK repeats it when the response is lost.
                statement = submit(str(uuid.uuid4()))["Id"]
            except ClientError as error:
                if is_last or error.response["Error"]["Code"] not in PASSING_CODES:
                    raise JobFailed(f"{what}: the warehouse did not accept the statement: {error}") from error
                self._sleep(2.0**attempt)
                continue
            state = self._settled(statement, what)
            if state["Status"] == "FINISHED":
                return state
            reason = _reason(state)
            if is_last or PASSING_REASONS.search(reason) is None:
                raise JobFailed(f"{what} failed in the warehouse and changed nothing: {reason}")
            self._sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _settled(self, statement: str, what: str) -> dict[str, Any]:
        pause, deadline = FIRST_POLL_SECONDS, self._now() + TIMEOUT_SECONDS
        while True:
            state: dict[str, Any] = self._client.describe_statement(Id=statement)
            if state["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return state
            if self._now() + pause > deadline:
                self._client.cancel_statement(Id=statement)
                raise JobFailed(
                    f"{what} was still {state['Status']} after {TIMEOUT_SECONDS:.0f} s and was cancelled. "
                    "Extract less at once (history.days, history.maxRows) or give the workgroup more capacity."
                )
            self._sleep(pause)
            pause = min(SLOWEST_POLL_SECONDS, pause * 1.5)


def _reason(state: dict[str, Any]) -> str:
    failed = next((part for part in state.get("SubStatements", []) if part.get("Status") == "FAILED"), {})
    return failed.get("Error") or state.get("Error") or f"the statement was {state['Status'].lower()}"


def literal(text: str) -> str:
    """A string in SQL. Redshift reads a backslash inside quotes as an escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
