"""Trails by ARN, which the AWS provider sends.

moto knows names alone: DeleteTrail deletes nothing, and DescribeTrails answers with all trails, those of other Regions
that record here too among them, whichever were asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend
from moto.cloudtrail.responses import CloudTrailResponse


def apply() -> None:
    CloudTrailBackend.delete_trail = _by_arn_too(CloudTrailBackend.delete_trail)
    CloudTrailResponse.describe_trails = _only_wanted(CloudTrailResponse.describe_trails)


def _only_wanted(describe: Callable[[Any], str]) -> Callable[[Any], str]:
    def describe_wanted(self: Any) -> str:
        answer = json.loads(describe(self))
        wanted = self._get_param("trailNameList") or []
        if wanted:
            trails = answer["trailList"]
            answer["trailList"] = [trail for trail in trails if {trail["Name"], trail["TrailARN"]} & set(wanted)]
        return json.dumps(answer)

    return describe_wanted


def _by_arn_too(delete: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    def delete_by_either(self: Any, name: str) -> None:
        delete(self, name.rpartition("/")[2] if name.startswith("arn:") else name)

    return delete_by_either
