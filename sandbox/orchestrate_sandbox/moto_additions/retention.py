"""GetObjectRetention, which moto answers with the object itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response


def apply() -> None:
    S3Response.get_object = _or_its_retention(S3Response.get_object)


def _or_its_retention(get_object: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_object_or_its_retention(self: Any) -> Any:
        return _retention(self) if "retention" in self.querystring else get_object(self)

    return get_object_or_its_retention


def _retention(response: Any) -> Any:
    key, _ = response._get_key()
    if not key.lock_mode:
        raise S3ClientError("NoSuchObjectLockConfiguration", "The specified object has no retention")
    body = {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}}
    return 200, {"content-type": "application/xml"}, xmltodict.unparse(body)
