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
        status, headers, body = get(self)  # a header tells the default minimum object size
        written = getattr(self.backend.get_bucket(self.bucket_name), "lifecycle_as_written", [])
        if all(rule.get("ID") for rule in written):  # otherwise moto has made the ids that are missing
            body = xmltodict.unparse({"LifecycleConfiguration": {"Rule": written}})
        return status, headers, body

    return get_as_kept
