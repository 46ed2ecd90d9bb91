"""Writes a state where Terraform's `s3` backend will look for it, as that backend would, and under its locks.

Source: Terraform documentation, "Backend Type: s3", and its code: with `encrypt` the state is written with server-side
encryption AES256. The locks, and the checksum that the next read must find, are those of `state_locks`.
"""

from __future__ import annotations

import getpass
import json
import socket
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.state.locks import StateLocks, put_new
from orchestrator.effects.system import clock
from orchestrator.model.release.recovery import ADOPTION, StateLock
from orchestrator.model.rules.backend import Backend
from orchestrator.model.text.progress import Progress


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

    @cached_property
    def locks(self) -> StateLocks:
        return StateLocks(self.aws, self.backend, self.owner, self.env)

    def locked(self, tell: Progress) -> AbstractContextManager[None]:
        """Holds Terraform's locks; Locked where somebody else does.

        For whoever holds the target's deployment lock: a lock of an adoption that they find is of a run that is gone.
        """

        def is_dead(lock: StateLock) -> bool:
            if lock.operation == ADOPTION:
                tell(f"An adoption was interrupted and has left its {lock}: it is taken over")
            return lock.operation == ADOPTION

        return self.locks.taken(self._info(), is_dead)

    def read(self) -> bytes | None:
        return Bucket(self.aws, self.backend.bucket, self.backend.region, self.owner, self.env).get(self.backend.key)

    def put_new(self, content: bytes) -> bool:
        """Writes the state and its checksum; False where there is another state.

        A write that was repeated after its answer was lost, or that an earlier run has made, counts as made.
        """
        place = {"Bucket": self.backend.bucket, "Key": self.backend.key, "ExpectedBucketOwner": self.owner}
        state: dict[str, Any] = {**place, "Body": content, "ContentType": "application/json"}
        if self.backend.encrypt:
            state["ServerSideEncryption"] = "AES256"
        with self.aws.explained("write", self.address, env=self.env):
            written = put_new(self.aws.client("s3", self.backend.region), state) is not None
        if not written and self.read() != content:
            return False
        self.locks.write_checksum(content)
        return True

    @property
    def _path(self) -> str:
        return f"{self.backend.bucket}/{self.backend.key}"

    def _info(self) -> str:
        """As Terraform describes a lock; `terraform force-unlock` and `orchestrate unlock` know it by its ID."""
        created = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {
            "Operation": ADOPTION,
            "Info": "",
            "Who": self.us,
            "Version": "",
            "Created": created,
            "Path": self._path,
        }
        return json.dumps({"ID": str(uuid.uuid4()), **about})
