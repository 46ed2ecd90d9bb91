"""Objects in the stores' buckets: written whole, read whole, and only in buckets of the tooling account."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws import Session

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20
_CONFLICT_TRIES = 5


@dataclass(frozen=True)
class Bucket:
    """A bucket of account `owner`; S3 itself refuses every request if it is another account's.

    `env` is the environment that the bucket belongs to, for hints.
    """

    aws: Session
    name: str
    region: str
    owner: str
    env: str

    def put(
        self, key: str, body: bytes | Path, *, if_none_match: bool = False, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes an object, from memory or from a file of at most 5 GB.

        With `if_none_match` an object that exists stays as it is, and the answer is False; of two writers at once
        one gets True.
        """
        with self.aws.explained("write", self._url(key), env=self.env):
            request = self._request(key) | {"Metadata": dict(metadata or {})}
            if if_none_match:
                return self._put_new(request, body)
            _put(self._s3, request, body)
            return True

    def get(self, key: str) -> bytes | None:
        """The object's content, None where there is none."""
        with self.aws.explained("read", self._url(key), env=self.env):
            body = self._open(key)
            return None if body is None else body.read()

    def download(self, key: str, path: Path) -> bool:
        """Writes the object's content to `path`, mode 0600, whole or not at all; False where there is none."""
        with self.aws.explained("read", self._url(key), env=self.env):
            body = self._open(key)
            if body is None:
                return False
            with body:
                _write_private(path, body)
            return True

    @property
    def _s3(self) -> S3Client:
        return self.aws.client("s3", self.region)

    def _request(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.name, "Key": key, "ExpectedBucketOwner": self.owner}

    def _url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def _open(self, key: str) -> StreamingBody | None:
        from botocore.exceptions import ClientError

        try:
            return self._s3.get_object(**self._request(key))["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def _put_new(self, request: dict[str, Any], body: bytes | Path) -> bool:
        """S3 answers 409 while another conditional write is under way; only asking again tells how it ended."""
        from botocore.exceptions import ClientError

        for tries_left in reversed(range(_CONFLICT_TRIES)):
            try:
                _put(self._s3, request | {"IfNoneMatch": "*"}, body)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in ("PreconditionFailed", "412"):
                    return False
                if code != "ConditionalRequestConflict" or not tries_left:
                    raise
            else:
                return True
        raise AssertionError("the last try returns or raises")


def _put(s3: S3Client, request: Mapping[str, Any], body: bytes | Path) -> None:
    if isinstance(body, bytes):
        s3.put_object(**request, Body=body)
        return
    with body.open("rb") as file:
        s3.put_object(**request, Body=file)


def _write_private(path: Path, body: StreamingBody) -> None:
    """Through a file of its own beside `path` (mkstemp makes it 0600), so that nobody ever sees half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                file.write(chunk)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
