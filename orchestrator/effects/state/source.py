"""Where a state comes from that is to be adopted: a local file, or an object in any bucket. It is only ever read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.aws.retry import ignoring
from orchestrator.effects.aws.session import Session
from orchestrator.errors import InvalidInput, UsageError

_OBJECT = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.{1,1024})", re.DOTALL)
_MISSING = {"NoSuchKey", "404"}


@dataclass(frozen=True)
class LocalFile:
    """A state of Terraform's `local` backend, or what `terraform state pull` has written."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"{self.path} cannot be read: {error.strerror}") from None

    def lock(self) -> str | None:
        """What Terraform's `local` backend writes beside a state in use."""
        path = self.path.with_name(f".{self.path.name}.lock.info")
        return str(path) if os.path.lexists(path) else None


@dataclass(frozen=True)
class StoredObject:
    """A state of Terraform's `s3` backend. A lock in a lock table cannot be seen from here."""

    aws: Session
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> bytes:
        found = self._get(self.key)
        if found is None:
            raise InvalidInput(f"there is no object {self}")
        return found

    def lock(self) -> str | None:
        return f"{self}.tflock" if self._get(f"{self.key}.tflock") is not None else None

    def _get(self, key: str) -> bytes | None:
        s3 = self.aws.client("s3")
        with self.aws.explained("read", f"s3://{self.bucket}/{key}"):
            answer = ignoring(lambda: s3.get_object(Bucket=self.bucket, Key=key), _MISSING)
            return None if answer is None else answer["Body"].read()


def source_of(text: str, aws: Session) -> LocalFile | StoredObject:
    """From `s3://bucket/key` or a path; UsageError for an address of S3 that is none."""
    if not text.startswith("s3:"):
        return LocalFile(Path(text).absolute())
    match = _OBJECT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{text[:200]!r} does not name an object", hint="Write s3://BUCKET/KEY, or the path of a file."
        )
    return StoredObject(aws, match[1], match[2])
