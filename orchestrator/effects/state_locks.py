"""Terraform's locks of a state, and the checksum beside them, as the `s3` backend keeps them.

Source: Terraform documentation, "Backend Type: s3", and its code: the lock table holds an item `<bucket>/<key>` with
the lock's JSON as `Info`, and `<bucket>/<key>-md5` with the state's checksum as `Digest`; the lock file is the object
`<key>.tflock`. Each is deleted under the condition that it is still the one that was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws import Session
from orchestrator.effects.patience import code_of, unless
from orchestrator.model.backend import Backend
from orchestrator.model.recovery import StateLock

_NO_SUCH_LOCK = {"NoSuchKey", "404"}
_CHANGED = {"ConditionalCheckFailedException", "PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


@dataclass(frozen=True)
class StateLocks:
    """Of one state; `owner` is the account of its bucket, `env` for hints."""

    aws: Session
    backend: Backend
    owner: str
    env: str

    def found(self) -> tuple[StateLock, ...]:
        """The locks that are held now; both kinds are looked for, whichever the rules ask for."""
        return tuple(lock for lock in (self._of_table(), self._of_file()) if lock is not None)

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
        item = {"LockID": {"S": f"{self._id}-md5"}, "Digest": {"S": md5(content)}}
        with self.aws.explained("write the checksum of", self._id, env=self.env):
            return _unless_changed(
                lambda: self._dynamodb.put_item(
                    TableName=self.backend.dynamodb_table,
                    Item=item,
                    ConditionExpression="Digest = :expected",
                    ExpressionAttributeValues={":expected": {"S": expected}},
                )
            )

    @property
    def _id(self) -> str:
        return f"{self.backend.bucket}/{self.backend.key}"

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
            answer = unless(lambda: self._s3.get_object(**self._file), _NO_SUCH_LOCK)
            if answer is None:
                return None
            return StateLock.read("lock file", answer["Body"].read().decode(errors="replace"), answer["ETag"])

    def _delete(self, lock: StateLock) -> None:
        if lock.kept == "lock file":
            self._s3.delete_object(**self._file, IfMatch=lock.version)
            return
        self._dynamodb.delete_item(
            TableName=self.backend.dynamodb_table,
            Key={"LockID": {"S": self._id}},
            ConditionExpression="Info = :info",
            ExpressionAttributeValues={":info": {"S": lock.version}},
        )

    @property
    def _file(self) -> dict[str, str]:
        return {"Bucket": self.backend.bucket, "Key": f"{self.backend.key}.tflock", "ExpectedBucketOwner": self.owner}

    @property
    def _s3(self) -> Any:
        return self.aws.client("s3", self.backend.region)

    @property
    def _dynamodb(self) -> Any:
        return self.aws.client("dynamodb", self.backend.region)


def md5(content: bytes) -> str:
    """As Terraform writes it beside the lock; it protects against stale reads, not against people."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _unless_changed(call: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if code_of(error) not in _CHANGED | _NO_SUCH_LOCK:
            raise
        return False
    return True
