"""A day's scores → risk.batch_scores, in one transaction: COPY into a temporary table, then MERGE of the rows that say something new."""

from __future__ import annotations

from data_api import DataApi, literal

KEY = ("dataset", "score_date", "event_id")
VALUES = ("score", "score_scale", "model_version")
COLUMNS = (*KEY, *VALUES, "scored_at")


def merge(data_api: DataApi, manifest_url: str, role_arn: str, what: str) -> int:
    """manifest_url: COPY manifest of gzipped JSON lines with the fields COLUMNS. Returns how many rows it changed or added."""
    rows = data_api.transaction(merge_statements(manifest_url, role_arn), what)
    return int(rows[0][0])


def merge_statements(manifest_url: str, role_arn: str) -> list[str]:
    same_key = " AND ".join(f"batch_scores.{column} = staged.{column}" for column in KEY)
    same_values = " AND ".join(f"batch_scores.{column} = staged.{column}" for column in VALUES)
    updates = ", ".join(f"{column} = staged.{column}" for column in (*VALUES, "scored_at"))
    return [
        # First, since it determines what the transaction sees: two loads of a day that didn't see each other's rows would both insert.
        "LOCK TABLE risk.batch_scores",
        "CREATE TEMP TABLE staged (LIKE risk.batch_scores_staging)",
        f"COPY staged ({', '.join(COLUMNS)}) FROM {literal(manifest_url)} IAM_ROLE {literal(role_arn)} MANIFEST FORMAT AS JSON 'auto' GZIP "
        "TIMEFORMAT AS 'auto' COMPUPDATE OFF STATUPDATE OFF",
        # Redshift's MERGE takes no condition, so rows that say nothing new are deleted before it: a second run changes no row.
        f"DELETE FROM staged USING risk.batch_scores WHERE {same_key} AND {same_values}",
        f"MERGE INTO risk.batch_scores USING staged ON {same_key} WHEN MATCHED THEN UPDATE SET {updates}, loaded_at = GETDATE() "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(COLUMNS)}, loaded_at) VALUES ({', '.join(f'staged.{column}' for column in COLUMNS)}, GETDATE())",
        "SELECT COUNT(*) AS changed FROM staged",
    ]
