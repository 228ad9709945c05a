"""The scripts as Glue starts them: by their path, modules beside them or in an archive, and how they end."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT
from py4j.protocol import Py4JError, Py4JNetworkError

import glue_job

SCRIPTS = ("extract_training_data.py", "extract_inference_data.py", "load_scores.py")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_takes_its_modules_from_an_archive(script: str, tmp_path: Path) -> None:
    (tmp_path / script).write_bytes((ROOT / "jobs" / "glue" / script).read_bytes())
    with zipfile.ZipFile(tmp_path / "modules.zip", "w") as archive:
        for module in sorted((ROOT / "jobs" / "glue").glob("*.py")):
            if module.name not in SCRIPTS:
                archive.write(module, module.name)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "modules.zip"), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run([sys.executable, tmp_path / script, "--dataset", "fraud"], capture_output=True, text=True, env=environment)
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(f"glue_job.JobFailed: {script}: the following arguments are required: --bucket")


def test_a_failure_of_spark_is_reported_in_one_line() -> None:
    class Killed:
        def __str__(self) -> str:
            return "org.apache.spark.SparkException: Job aborted\n\tat x\nCaused by: java.lang.OutOfMemoryError: heap\n\tat y"

    class Failure(Py4JNetworkError):
        java_exception = Killed()

    def with_cause(_: object) -> None:
        raise Failure("gone")

    def without(_: object) -> None:
        raise ConnectionRefusedError("Connection refused")

    # Of the call that was under way when the process was killed.
    def silent(_: object) -> None:
        raise Py4JError("An error occurred while calling o57.csv")

    def refused(_: object) -> None:
        raise Py4JError("An error occurred while calling o57.cvs. Trace:\npy4j.Py4JException: Method cvs([]) does not exist\n")

    for main, reason in (
        (with_cause, "java.lang.OutOfMemoryError: heap"),
        (without, "its Java process is gone (Connection refused)"),
        (silent, "its Java process is gone (An error occurred while calling o57.csv)"),
        (refused, "An error occurred while calling o57.cvs. Trace:"),
    ):
        with pytest.raises(glue_job.JobFailed) as failure:
            glue_job.run(main)
        assert str(failure.value).startswith(f"Spark failed: {reason}. If it was killed")
        assert "\n" not in str(failure.value)


def test_an_error_of_the_job_itself_is_reported_unchanged() -> None:
    def fail(_: object) -> None:
        raise glue_job.JobFailed("first\n second")

    with pytest.raises(glue_job.JobFailed, match="^first second$"):
        glue_job.run(fail)
