"""Terraform's locks of a state, and the checksum beside them, as the `s3` backend keeps them.

Source: Terraform documentation, "Backend Type: s3", and its code: the lock table holds an item `<bucket>/<key>` with
the lock's JSON as `Info`, and `<bucket>/<key>-md5` with the state's checksum as `Digest`; the lock file is the object
`<key>.tflock`. Each is taken under the condition that it is free, and deleted under the condition that it is still
the one that was read.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from orchestrator.effects.aws.retry import code_of, ignoring, retry_on
from orchestrator.effects.aws.session import Session
from orchestrator.errors import Locked
from orchestrator.model.release.recovery import Kept, StateLock
from orchestrator.model.rules.backend import Backend

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_NO_SUCH_LOCK = {"NoSuchKey", "404"}
_TAKEN = {"ConditionalCheckFailedException", "PreconditionFailed", "412"}
_CHANGED = {*_TAKEN, "ConditionalRequestConflict", "409"}


@dataclass(frozen=True)
class StateLocks:
    """Of one state; `owner` is the account of its bucket, `env` for hints."""

    aws: Session
    backend: Backend
    owner: str
    env: str

    def found(self) -> tuple[StateLock, ...]:
        """The locks that are held now; both kinds are looked for, whichever the rules ask for."""
        return tuple(lock for lock in (self._there("lock table"), self._there("lock file")) if lock is not None)

    @contextlib.contextmanager
    def taken(self, info: str, is_dead: Callable[[StateLock], bool]) -> Iterator[None]:
        """Holds the locks that the rules ask for, each with `info`, the lock's JSON.

        Raises Locked where somebody else holds one, unless `is_dead` says that its holder is gone.
        """
        with contextlib.ExitStack() as held:
            for kept in self._kinds:
                held.callback(self.release, self._take(kept, info, is_dead))
            yield

    def release(self, lock: StateLock) -> bool:
        """False where it is not held any more, or another has taken its place."""
        with self.aws.explained("release", f"the {lock.kept} of {self._id}", env=self.env):
            return _unless_changed(lambda: self._delete(lock))

    def checksum(self) -> str | None:
        """What Terraform expects the state's MD5 to be; None where the lock table holds none."""
        item = self._item(f"{self._id}-md5")
        return None if item is None else str(item["Digest"]["S"])

    def set_checksum(self, expected: str, content: bytes) -> bool:
        """Makes it that of `content`; False where it is no longer `expected`."""
        with self.aws.explained("write the checksum of", self._id, env=self.env):
            return _unless_changed(
                lambda: self._dynamodb.put_item(
                    TableName=str(self.backend.dynamodb_table),
                    Item=self._digest(content),
                    ConditionExpression="Digest = :expected",
                    ExpressionAttributeValues={":expected": {"S": expected}},
                )
            )

    def write_checksum(self, content: bytes) -> None:
        """Makes it that of `content`, whatever it was: one of a state that is long gone may be there."""
        if self.backend.dynamodb_table is not None:
            with self.aws.explained("write the checksum of", self._id, env=self.env):
                self._dynamodb.put_item(TableName=self.backend.dynamodb_table, Item=self._digest(content))

    @property
    def _id(self) -> str:
        return f"{self.backend.bucket}/{self.backend.key}"

    def _digest(self, content: bytes) -> dict[str, Any]:
        return {"LockID": {"S": f"{self._id}-md5"}, "Digest": {"S": md5(content)}}

    @property
    def _kinds(self) -> Iterator[Kept]:
        """In the order in which Terraform takes them."""
        if self.backend.use_lockfile:
            yield "lock file"
        if self.backend.dynamodb_table is not None:
            yield "lock table"

    def _take(self, kept: Kept, info: str, is_dead: Callable[[StateLock], bool]) -> StateLock:
        put, ours = partial(self._put, kept, info), StateLock.read(kept, info, "")
        with self.aws.explained("lock", f"s3://{self._id}", env=self.env):
            version = put()
            if version is not None:
                return replace(ours, version=version)
            there = self._there(kept)
            if there is not None and there.id == ours.id:
                return there  # the write was repeated after its answer was lost
            if there is None or (is_dead(there) and self.release(there)):
                version = put()
        if version is None:
            raise _held(self._there(kept))
        return replace(ours, version=version)

    def _there(self, kept: Kept) -> StateLock | None:
        return self._of_table() if kept == "lock table" else self._of_file()

    def _put(self, kept: Kept, info: str) -> str | None:
        """What releases it again: the file's ETag, the table's text; None where it is held."""
        if kept == "lock file":
            file = {**self._file, "Body": info.encode(), "ContentType": "application/json"}
            return put_new(self._s3, file)
        item: Any = {"LockID": {"S": self._id}, "Info": {"S": info}}
        put = partial(self._dynamodb.put_item, TableName=str(self.backend.dynamodb_table), Item=item)
        free = partial(put, ConditionExpression="attribute_not_exists(LockID)")
        return None if ignoring(free, _TAKEN) is None else info

    def _of_table(self) -> StateLock | None:
        item = self._item(self._id)
        if item is None:
            return None
        text = str(item.get("Info", {}).get("S", ""))
        return StateLock.read("lock table", text, text)

    def _item(self, id: str) -> dict[str, Any] | None:
        if self.backend.dynamodb_table is None:
            return None
        with self.aws.explained("read the lock of", self._id, env=self.env):
            answer = self._dynamodb.get_item(
                TableName=self.backend.dynamodb_table, Key={"LockID": {"S": id}}, ConsistentRead=True
            )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _of_file(self) -> StateLock | None:
        with self.aws.explained("read", f"s3://{self._id}.tflock", env=self.env):
            answer = ignoring(lambda: self._s3.get_object(**self._file), _NO_SUCH_LOCK)
            if answer is None:
                return None
            return StateLock.read("lock file", answer["Body"].read().decode(errors="replace"), answer["ETag"])

    def _delete(self, lock: StateLock) -> None:
        if lock.kept == "lock file":
            self._s3.delete_object(**self._file, IfMatch=lock.version)
            return
        self._dynamodb.delete_item(
            TableName=str(self.backend.dynamodb_table),
            Key={"LockID": {"S": self._id}},
            ConditionExpression="Info = :info",
            ExpressionAttributeValues={":info": {"S": lock.version}},
        )

    @property
    def _file(self) -> dict[str, Any]:
        return {"Bucket": self.backend.bucket, "Key": f"{self.backend.key}.tflock", "ExpectedBucketOwner": self.owner}

    @property
    def _s3(self) -> S3Client:
        return self.aws.client("s3", self.backend.region)

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self.aws.client("dynamodb", self.backend.region)


def md5(content: bytes) -> str:
    """As Terraform writes it beside the lock; it protects against stale reads, not against people."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def put_new(s3: S3Client, request: dict[str, Any]) -> str | None:
    """Writes an object and returns its ETag; None where there is one already.

    While another conditional write is under way S3 answers 409, and only asking again tells how that one ended.
    """
    write = partial(s3.put_object, **request, IfNoneMatch="*")
    answer = ignoring(lambda: retry_on(write, {"ConditionalRequestConflict"}), _TAKEN)
    return None if answer is None else answer["ETag"]


def _held(lock: StateLock | None) -> Locked:
    return Locked(
        f"the state's place is locked: {lock or 'by somebody who took it at this moment'}",
        hint="Wait until that run has ended. A lock whose holder is gone, `orchestrate unlock` releases.",
    )


def _unless_changed(call: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if code_of(error) not in _CHANGED | _NO_SUCH_LOCK:
            raise
        return False
    return True
