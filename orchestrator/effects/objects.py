"""Objects in the stores' buckets: written whole, read whole, and only in buckets of the tooling account."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws import Session
from orchestrator.effects.patience import patiently, unless

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 20


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
        at most one gets True. Where the connection broke in the middle, the object that exists may be our own:
        whoever needs to know compares the contents.
        """
        with self.aws.explained("write", self._url(key), env=self.env):
            request = self._request(key) | {"Metadata": dict(metadata or {})}
            return (_put_new if if_none_match else _put)(self._s3, request, body)

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
        answer = unless(lambda: self._s3.get_object(**self._request(key)), {"NoSuchKey"})
        return None if answer is None else answer["Body"]


def _put_new(s3: S3Client, request: Mapping[str, Any], body: bytes | Path) -> bool:
    """While another conditional write is under way S3 answers 409, and only asking again tells how that one ended."""
    write = partial(_put, s3, {**request, "IfNoneMatch": "*"}, body)
    return unless(lambda: patiently(write, {"ConditionalRequestConflict"}), {"PreconditionFailed", "412"}) or False


def _put(s3: S3Client, request: Mapping[str, Any], body: bytes | Path) -> bool:
    if isinstance(body, bytes):
        s3.put_object(**request, Body=body)
        return True
    with body.open("rb") as file:
        s3.put_object(**request, Body=file)
    return True


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
