"""A bucket's lifecycle rules are read back as they were written.

moto keeps the parts of a rule that it knows and forgets the others, `NewerNoncurrentVersions` among them: whoever
compares what is with what should be finds a difference for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def apply() -> None:
    S3Backend.put_bucket_lifecycle = _keeping(S3Backend.put_bucket_lifecycle)
    S3Response.get_bucket_lifecycle = _as_kept(S3Response.get_bucket_lifecycle)


def _keeping(put: Callable[..., None]) -> Callable[..., None]:
    def put_and_keep(self: Any, bucket_name: str, rules: list[dict[str, Any]]) -> None:
        put(self, bucket_name, rules)
        self.get_bucket(bucket_name).lifecycle_as_written = rules

    return put_and_keep


def _as_kept(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_as_kept(self: Any) -> Any:
        bucket = self.backend.get_bucket(self.bucket_name)
        written = getattr(bucket, "lifecycle_as_written", [])
        if not bucket.rules or not all(rule.get("ID") for rule in written):
            return get(self)  # moto knows what to say of no rules, and makes the ids that are missing
        return xmltodict.unparse({"LifecycleConfiguration": {"Rule": written}})

    return get_as_kept
