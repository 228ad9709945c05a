"""The CSV that Batch Transform reads and writes: RFC 4180, one record a line, no header, nothing for a missing value."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

# Spark's options for both directions. Spaces are part of keys and values, and stay.
CSV = {
    "header": "false",
    "quote": '"',
    "escape": '"',
    "nullValue": "",
    "emptyValue": "",
    "ignoreLeadingWhiteSpace": "false",
    "ignoreTrailingWhiteSpace": "false",
}


def key_to_csv(key: Column) -> Column:
    """A key may hold a line break, a record of Batch Transform may not: percent-encoded, reversibly."""
    escaped = F.regexp_replace(key, "%", "%25")
    return F.regexp_replace(F.regexp_replace(escaped, "\n", "%0A"), "\r", "%0D")


def key_from_csv(key: Column) -> Column:
    return F.regexp_replace(F.regexp_replace(F.regexp_replace(key, "%0D", "\r"), "%0A", "\n"), "%25", "%")
