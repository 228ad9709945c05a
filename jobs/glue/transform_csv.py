"""The CSV that Batch Transform reads and writes: RFC 4180, one record per line, no header, nothing for a missing value."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

# Spark's options in both directions. Spaces are part of keys and values, so they are kept.
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
    """Percent-encodes a key, reversibly: a key may contain a line break, a record of Batch Transform may not."""
    escaped = F.regexp_replace(key, "%", "%25")
    return F.regexp_replace(F.regexp_replace(escaped, "\n", "%0A"), "\r", "%0D")


def key_from_csv(key: Column) -> Column:
    return F.regexp_replace(F.regexp_replace(F.regexp_replace(key, "%0D", "\r"), "%0A", "\n"), "%25", "%")
