"""A bucket's lifecycle rules are read back as they were written.

moto keeps the parts of a rule that it knows and forgets the others, `NewerNoncurrentVersions` among them: whoever
compares what is with what should be finds a difference for ever. AWS also names the rules that come without an id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import xmltodict  # type: ignore[import-untyped]
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def apply() -> None:
    S3Backend.put_bucket_lifecycle = _keeping(S3Backend.put_bucket_lifecycle)
    S3Response.get_bucket_lifecycle = _as_kept(S3Response.get_bucket_lifecycle)


def _keeping(put: Callable[..., None]) -> Callable[..., None]:
    def put_and_keep(self: Any, bucket_name: str, rules: list[dict[str, Any]]) -> None:
        named = [{"ID": str(uuid4()), **rule} for rule in rules]
        put(self, bucket_name, named)
        self.get_bucket(bucket_name).lifecycle_as_written = named

    return put_and_keep


def _as_kept(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_as_kept(self: Any) -> Any:
        status, headers, body = get(self)  # a header tells the default minimum object size
        written = getattr(self.backend.get_bucket(self.bucket_name), "lifecycle_as_written", None)
        if written is not None:  # CloudFormation writes past us
            body = xmltodict.unparse({"LifecycleConfiguration": {"Rule": written}})
        return status, headers, body

    return get_as_kept
