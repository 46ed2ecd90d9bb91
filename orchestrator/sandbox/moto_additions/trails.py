"""DeleteTrail by ARN, which the AWS provider sends; moto knows names alone and deletes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend


def apply() -> None:
    CloudTrailBackend.delete_trail = _by_arn_too(CloudTrailBackend.delete_trail)


def _by_arn_too(delete: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    def delete_by_either(self: Any, name: str) -> None:
        delete(self, name.rpartition("/")[2] if name.startswith("arn:") else name)

    return delete_by_either
