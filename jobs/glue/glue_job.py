"""What all jobs have in common: the Spark session, the arguments, and how they fail.

Glue shows the message of the exception that ends a script as the run's ErrorMessage; stderr ends with the same line."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Callable, Sequence

from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

# Names of datasets and models become parts of keys, tables and statements.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class JobFailed(Exception):
    """Says in one line what is wrong, what was expected and how to fix it."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Arguments(argparse.ArgumentParser):
    """Arguments of all jobs. Glue adds some of its own, which are ignored."""

    def __init__(self, description: str) -> None:
        super().__init__(description=description, allow_abbrev=False)
        self.add_argument("--bucket", required=True, help="the pipelines' bucket")
        self.add_argument("--dataset", required=True, type=name, help="name of the dataset")
        self.add_argument("--data_api_workgroup", help="Redshift Serverless workgroup")
        self.add_argument("--data_api_database", help="database in it")
        self.add_argument("--database_secret", help="ARN of a secret with the user; without it the job's own role signs in")
        self.add_argument("--unload_role_arn", help="role that the warehouse assumes for UNLOAD and COPY")
        self.add_argument("--kms_key_id", help="ARN of the key that UNLOAD encrypts with; without it S3's own is used")
        self.add_argument("--staging_dir", type=Path, help="on one machine: folder for files on their way between S3 and Spark")

    def error(self, message: str) -> None:  # type: ignore[override]
        raise JobFailed(f"{Path(sys.argv[0]).name}: {message}. {self.format_usage()}")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        return self.parse_known_args(list(arguments))[0]


def name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: expected letters, digits, dots, dashes and underscores")
    return text


def spark_session(application: str, staging_dir: Path | None) -> SparkSession:
    """Glue's own session, or a small local one if S3 is staged through a folder."""
    builder = (
        SparkSession.builder.appName(application)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        # Batch Transform reads every object under a prefix as input, including an empty _SUCCESS.
        .config("spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
    )
    if staging_dir is not None:
        builder = (
            builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.default.parallelism", "2")
            .config("spark.sql.inMemoryColumnarStorage.compressed", "false")
            .config("spark.sql.adaptive.enabled", "false")
            # Runs are short: the first of Java's two compilers is enough, and starts sooner.
            .config("spark.driver.defaultJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            # Plans that are too large to be compiled are interpreted, which is not an error.
            .config("spark.sql.codegen.logging.maxLines", "0")
            .config("spark.ui.showConsoleProgress", "false")
        )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs a job. A failure of Spark itself is also reported in one line."""
    try:
        main(sys.argv[1:])
    except JobFailed:
        raise
    except (Py4JError, PySparkException, ConnectionError) as error:
        raise JobFailed(
            f"Spark failed: {_reason(error)}. If it was killed or ran out of memory, run the job again with larger or more workers; "
            "nobody reads unfinished output."
        ) from error


# Spark quotes the record that it could not read, including personal data in it.
_RECORD = re.compile(r"(malformed[^:\]]*records?\b[^:]*):.*", re.IGNORECASE)


def _reason(error: BaseException) -> str:
    """The first lines say what happened; hundreds of stack frames follow."""
    java = getattr(error, "java_exception", None)
    text = str(java if java is not None else error)
    causes = re.findall(r"Caused by: ([^\n]+)", text)
    line = causes[-1] if causes else next((line for line in text.splitlines() if line.strip()), type(error).__name__)
    line = _RECORD.sub(r"\1", line.strip())[:500]
    return f"its Java process is gone ({line})" if java is None and _is_silence(error) else line


def _is_silence(error: BaseException) -> bool:
    """Whether the Java process no longer answers. Py4J reports that as a network error, or as an error of the call without Java's trace."""
    if isinstance(error, (Py4JNetworkError, ConnectionError)):
        return True
    return type(error) is Py4JError and "Trace:" not in str(error)
