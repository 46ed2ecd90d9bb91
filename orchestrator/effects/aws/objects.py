"""Objects in the stores' buckets: written whole, read whole, and only in buckets of the tooling account."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws.retry import ignoring, retry_on
from orchestrator.effects.aws.session import Session
from orchestrator.effects.system import clock
from orchestrator.errors import DependencyError
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.config import ObjectLock, Project

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_CHUNK = 1 << 20
_LARGEST_IN_MEMORY = 1 << 28  # bytes: states, receipts, anchors
_LARGEST_FILE = 5 << 30  # as much as is ever written at once
_NO_RETENTION = frozenset({"NoSuchObjectLockConfiguration", "InvalidRequest", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object, or (`deleted`) the mark that a deletion left in its place."""

    key: str
    id: str
    at: datetime
    latest: bool
    deleted: bool


@dataclass(frozen=True)
class Retention:
    """Until when S3 Object Lock keeps a version of an object; `mode` is GOVERNANCE or COMPLIANCE."""

    mode: str
    until: datetime


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

    @staticmethod
    def of_releases(aws: Session, stores: Stores, project: Project) -> Bucket:
        return Bucket(aws, stores.release_bucket, stores.region, project.tooling.account, stores.env)

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        if_none_match: bool = False,
        metadata: Mapping[str, str] | None = None,
        lock: ObjectLock | None = None,
    ) -> bool:
        """Writes an object, from memory or from a file of at most 5 GB; with `lock` it is kept from then on.

        With `if_none_match` an object that exists stays as it is, and the answer is False; of two writers at once
        at most one gets True. Where the connection broke in the middle, the object that exists may be our own:
        whoever needs to know compares the contents.
        """
        with self.aws.explained("write", self._url(key), env=self.env):
            request = self._request(key) | {"Metadata": dict(metadata or {})} | _kept(lock)
            return (_put_new if if_none_match else _put)(self._s3, request, body)

    def get(self, key: str) -> bytes | None:
        """The object's content, None where there is none."""
        with self.aws.explained("read", self._url(key), env=self.env):
            body = self._open(key, _LARGEST_IN_MEMORY)
            return None if body is None else body.read()

    def exists(self, key: str) -> bool:
        """Whether there is such an object; its content is not read."""
        with self.aws.explained("read", self._url(key), env=self.env):
            return ignoring(lambda: self._s3.head_object(**self._request(key)), {"404", "NoSuchKey"}) is not None

    def download(self, key: str, path: Path) -> bool:
        """Writes the object's content to `path`, mode 0600, whole or not at all; False where there is none."""
        with self.aws.explained("read", self._url(key), env=self.env):
            body = self._open(key, _LARGEST_FILE)
            if body is None:
                return False
            with body:
                _write_private(path, body)
            return True

    def keys(self, prefix: str) -> tuple[str, ...]:
        """Of the objects whose keys begin so; at most 1000."""
        with self.aws.explained("list", self._url(prefix), env=self.env):
            found = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix, ExpectedBucketOwner=self.owner)
        return tuple(each["Key"] for each in found.get("Contents", ()))

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version, and every mark of a deletion, of the objects whose keys begin so; by key."""
        with self.aws.explained("list the versions below", self._url(prefix), env=self.env):
            pages = self._s3.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, ExpectedBucketOwner=self.owner):
                found = [_version(item, deleted=False) for item in page.get("Versions", [])]
                found += [_version(item, deleted=True) for item in page.get("DeleteMarkers", [])]
                yield from sorted(found, key=lambda each: each.key)

    def version(self, found: ObjectVersion) -> bytes:
        """The content of one version."""
        with self.aws.explained("read", self._url(found.key), env=self.env):
            answer = self._s3.get_object(**self._request(found.key), VersionId=found.id)
            return self._of_size(found.key, answer, _LARGEST_IN_MEMORY).read()

    def retention(self, found: ObjectVersion) -> Retention | None:
        """Until when this version cannot be deleted; None where nothing keeps it."""
        with self.aws.explained("read the retention of", self._url(found.key), env=self.env):
            answer = ignoring(
                lambda: self._s3.get_object_retention(**self._request(found.key), VersionId=found.id), _NO_RETENTION
            )
        kept = {} if answer is None else answer.get("Retention", {})
        return Retention(kept["Mode"], kept["RetainUntilDate"]) if "RetainUntilDate" in kept else None

    def sha256(self, key: str) -> str | None:
        """The hash of the object's content, None where there is none."""
        with self.aws.explained("read", self._url(key), env=self.env):
            body = self._open(key)
            if body is None:
                return None
            digest = hashlib.sha256()
            with body:
                for chunk in body.iter_chunks(_CHUNK):
                    digest.update(chunk)
            return digest.hexdigest()

    @property
    def _s3(self) -> S3Client:
        return self.aws.client("s3", self.region)

    def _request(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.name, "Key": key, "ExpectedBucketOwner": self.owner}

    def _url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def _open(self, key: str, most: int | None = None) -> StreamingBody | None:
        answer = ignoring(lambda: self._s3.get_object(**self._request(key)), {"NoSuchKey"})
        return None if answer is None else self._of_size(key, answer, most)

    def _of_size(self, key: str, answer: GetObjectOutputTypeDef, most: int | None) -> StreamingBody:
        """Whoever may write to a store may write any size."""
        size = answer["ContentLength"]
        if most is not None and size > most:
            raise DependencyError(f"{self._url(key)} has {size} bytes, more than the {most} that are read")
        return answer["Body"]


def _kept(lock: ObjectLock | None) -> dict[str, Any]:
    if lock is None:
        return {}
    return {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": clock.now() + timedelta(days=lock.days)}


def _version(item: Any, *, deleted: bool) -> ObjectVersion:
    return ObjectVersion(item["Key"], str(item["VersionId"]), item["LastModified"], bool(item["IsLatest"]), deleted)


def _put_new(s3: S3Client, request: Mapping[str, Any], body: bytes | Path) -> bool:
    """While another conditional write is under way S3 answers 409, and only asking again tells how that one ended."""
    write = partial(_put, s3, {**request, "IfNoneMatch": "*"}, body)
    return ignoring(lambda: retry_on(write, {"ConditionalRequestConflict"}), {"PreconditionFailed", "412"}) or False


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
