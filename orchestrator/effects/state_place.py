"""Writes a state where Terraform's `s3` backend will look for it, as that backend would, and under its locks.

Source: Terraform documentation, "Backend Type: s3", and its code. The lock file is the object `<key>.tflock`; the lock
table holds an item `<bucket>/<key>` with the lock's JSON as `Info`, and `<bucket>/<key>-md5` with the checksum that the
next read must find. With `encrypt` the state is written with server-side encryption AES256.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestrator.effects import clock
from orchestrator.effects.aws import Session
from orchestrator.effects.patience import patiently, unless
from orchestrator.errors import Locked
from orchestrator.model.backend import Backend

_TAKEN = {"PreconditionFailed", "412", "ConditionalCheckFailedException"}
_ADOPT = "orchestrate adopt"


@dataclass(frozen=True)
class StatePlace:
    """The place of one target's state; `owner` is the account of its bucket, `env` for hints."""

    aws: Session
    backend: Backend
    owner: str
    env: str

    @property
    def us(self) -> str:
        """This process, as its locks name it."""
        return f"{getpass.getuser()}@{socket.gethostname()}"

    @property
    def address(self) -> str:
        return f"s3://{self._path}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds Terraform's locks; Locked where somebody else does.

        For whoever holds the target's deployment lock: a lock of an adoption that they find is of a run that is gone.
        """
        info = self._info()
        with contextlib.ExitStack() as taken:
            for take in self._locks:
                taken.enter_context(take(info))
            yield

    def read(self) -> bytes | None:
        with self.aws.explained("read", self.address, env=self.env):
            return self._get(self.backend.key)

    def put_new(self, content: bytes) -> bool:
        """Writes the state and its checksum; False where there is another state.

        A write that was repeated after its answer was lost, or that an earlier run has made, counts as made.
        """
        with self.aws.explained("write", self.address, env=self.env):
            state: dict[str, Any] = {"Body": content, "ContentType": "application/json"}
            if self.backend.encrypt:
                state["ServerSideEncryption"] = "AES256"
            if not self._put_object(self.backend.key, state) and self._get(self.backend.key) != content:
                return False
        self._write_checksum(content)
        return True

    def _write_checksum(self, content: bytes) -> None:
        """One of a state that is long gone may be there."""
        if self.backend.dynamodb_table is not None:
            item = {
                "LockID": {"S": f"{self._path}-md5"},
                "Digest": {"S": hashlib.md5(content, usedforsecurity=False).hexdigest()},
            }
            with self.aws.explained("write the checksum of", self.address, env=self.env):
                self._dynamodb.put_item(TableName=self.backend.dynamodb_table, Item=item)

    # Locks --------------------------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"{self.backend.bucket}/{self.backend.key}"

    def _info(self) -> str:
        """As Terraform describes a lock; `terraform force-unlock` and `orchestrate unlock` know it by its ID."""
        created = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {"Operation": _ADOPT, "Info": "", "Who": self.us, "Version": "", "Created": created, "Path": self._path}
        return json.dumps({"ID": str(uuid.uuid4()), **about})

    @property
    def _locks(self) -> Iterator[Callable[[str], contextlib.AbstractContextManager[None]]]:
        if self.backend.use_lockfile:
            yield self._lock_file
        if self.backend.dynamodb_table is not None:
            yield self._table_item

    @contextlib.contextmanager
    def _lock_file(self, info: str) -> Iterator[None]:
        key = f"{self.backend.key}.tflock"
        with self.aws.explained("lock", self.address, env=self.env):
            put = partial(self._put_object, key, {"Body": info.encode(), "ContentType": "application/json"})
            if not put():
                self._refuse_living((self._get(key) or b"{}").decode(errors="replace"))
                self._delete(key)
                if not put():
                    raise _held("somebody else")
        try:
            yield
        finally:
            with self.aws.explained("unlock", self.address, env=self.env):
                self._delete(key)

    @contextlib.contextmanager
    def _table_item(self, info: str) -> Iterator[None]:
        key = {"LockID": {"S": self._path}}
        table = self.backend.dynamodb_table
        with self.aws.explained("lock", self.address, env=self.env):
            self._put_item(info, key)
        try:
            yield
        finally:
            with self.aws.explained("unlock", self.address, env=self.env):
                ours = {"ConditionExpression": "Info = :ours", "ExpressionAttributeValues": {":ours": {"S": info}}}
                unless(lambda: self._dynamodb.delete_item(TableName=table, Key=key, **ours), _TAKEN)

    def _put_item(self, info: str, key: dict[str, Any]) -> None:
        table, item = self.backend.dynamodb_table, {**key, "Info": {"S": info}}
        put = partial(self._dynamodb.put_item, TableName=table, Item=item)
        if unless(partial(put, ConditionExpression="attribute_not_exists(LockID)"), _TAKEN) is not None:
            return
        answer = self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        found = answer.get("Item", {}).get("Info", {}).get("S", "{}")
        self._refuse_living(found)
        dead = {"ConditionExpression": "Info = :dead", "ExpressionAttributeValues": {":dead": {"S": found}}}
        if unless(partial(put, **dead), _TAKEN) is None:
            raise _held("somebody else")

    def _refuse_living(self, text: str) -> None:
        try:
            found = json.loads(text)
            operation, who = found.get("Operation"), f"{found.get('Who')} since {found.get('Created')}"
        except (ValueError, AttributeError):
            operation, who = None, "somebody"
        if operation != _ADOPT:
            raise _held(f"{who} ({operation})" if operation else who)

    # S3 and DynamoDB ----------------------------------------------------------------------------------------------

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self.backend.bucket, "Key": key, "ExpectedBucketOwner": self.owner}

    def _get(self, key: str) -> bytes | None:
        answer = unless(lambda: self._s3.get_object(**self._object(key)), {"NoSuchKey"})
        return None if answer is None else bytes(answer["Body"].read())

    def _put_object(self, key: str, content: dict[str, Any]) -> bool:
        """False where there is one already."""
        write = partial(self._s3.put_object, **self._object(key), **content, IfNoneMatch="*")
        return unless(lambda: patiently(write, {"ConditionalRequestConflict"}), _TAKEN) is not None

    def _delete(self, key: str) -> None:
        self._s3.delete_object(**self._object(key))

    @property
    def _s3(self) -> Any:
        return self.aws.client("s3", self.backend.region)

    @property
    def _dynamodb(self) -> Any:
        return self.aws.client("dynamodb", self.backend.region)


def _held(by: str) -> Locked:
    return Locked(
        f"the state's place is locked by {by}",
        hint="Wait until that run has ended. A lock whose holder is gone, `orchestrate unlock` releases.",
    )
