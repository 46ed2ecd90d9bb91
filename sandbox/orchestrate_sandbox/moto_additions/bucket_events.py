"""GetBucketNotification tells whether a bucket's events go to EventBridge, which moto keeps and does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xmltodict  # type: ignore[import-untyped]
from moto.s3.responses import S3Response


def apply() -> None:
    S3Response.get_bucket_notification = _telling(S3Response.get_bucket_notification)


def _telling(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_and_tell(self: Any) -> Any:
        status, headers, body = get(self)
        configured = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configured and configured.event_bridge is not None:
            document = xmltodict.parse(body)
            document["NotificationConfiguration"]["EventBridgeConfiguration"] = None
            body = xmltodict.unparse(document)
        return status, headers, body

    return get_and_tell
