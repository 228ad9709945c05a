"""The pipelines' bucket. On Glue, Spark reads and writes S3 itself; on one machine objects are staged through a folder, so that
Spark needs no S3 file system."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator

from glue_job import JobFailed


class Storage:
    def __init__(self, bucket: str, s3: Any, staging_dir: Path | None = None) -> None:
        """s3 is boto3's client. Without staging_dir Spark gets s3:// addresses."""
        self.bucket = bucket
        self._s3 = s3
        self._staging = staging_dir

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def read_text(self, key: str, fix: str) -> str:
        """Raises JobFailed, which contains the fix, when there is no such object."""
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode("utf-8")
        except self._s3.exceptions.NoSuchKey as error:
            raise JobFailed(f"{self.url(key)} does not exist. {fix}") from error

    def write_text(self, key: str, text: str) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode("utf-8"), ContentType="application/json")

    def sizes(self, prefix: str) -> dict[str, int]:
        """Sizes in bytes of all objects under a prefix, sorted by key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def delete(self, keys: Iterable[str]) -> None:
        names = [{"Key": key} for key in keys]
        for start in range(0, len(names), 1000):
            answer = self._s3.delete_objects(Bucket=self.bucket, Delete={"Objects": names[start : start + 1000], "Quiet": True})
            for problem in answer.get("Errors", []):
                raise JobFailed(
                    f"{self.url(problem['Key'])} could not be deleted: {problem.get('Message')}. "
                    "Check s3:DeleteObject of the job's role and run the job again."
                )

    def readable(self, keys: Iterable[str]) -> list[str]:
        """Addresses of objects that Spark can read."""
        if self._staging is None:
            return [self.url(key) for key in keys]
        paths: list[str] = []
        for key in keys:
            path = self._staging / key
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(self.bucket, key, str(path))
            paths.append(str(path))
        return paths

    @contextmanager
    def replacing(self, prefix: str) -> Iterator[str]:
        """The address to which Spark writes a folder; afterwards the prefix, which ends with /, holds that and nothing else."""
        if self._staging is None:
            self.delete(self.sizes(prefix))
            yield self.url(prefix)
            return
        folder = self._staging / prefix
        shutil.rmtree(folder, ignore_errors=True)
        yield str(folder)
        self.delete(self.sizes(prefix))
        for path in sorted(folder.rglob("*")):
            # Hadoop's checksums and markers are not uploaded.
            if path.is_file() and path.name[0] not in "._":
                self._s3.upload_file(str(path), self.bucket, prefix + path.relative_to(folder).as_posix())
