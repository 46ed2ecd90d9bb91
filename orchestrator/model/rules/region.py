"""AWS Regions: which exist, the partition of each, and their short names.

The table is botocore's (`partitions.json`); a test compares the two. It stands here because importing botocore to
read it would take longer than `orchestrate show` may.
"""

from __future__ import annotations

import re

PARTITIONS: dict[str, str] = {
    "aws": (
        "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 "
        "ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 "
        "ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 "
        "eu-west-3 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1 us-east-1 "
        "us-east-2 us-west-1 us-west-2"
    ),
    "aws-cn": "cn-north-1 cn-northwest-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1 us-iso-west-1",
    "aws-iso-b": "us-isob-east-1 us-isob-west-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-east-1 us-isof-south-1",
    "aws-us-gov": "us-gov-east-1 us-gov-west-1",
}

_PARTITION_OF = {region: partition for partition, regions in PARTITIONS.items() for region in regions.split()}
_DIRECTION = re.compile("north|south|east|west|central")

REGIONS: tuple[str, ...] = tuple(sorted(_PARTITION_OF))


def partition_of(region: str) -> str:
    """The partition (`aws`, `aws-cn`, ...) of a known Region; KeyError for any other name."""
    return _PARTITION_OF[region]


def is_known(region: str) -> bool:
    return region in _PARTITION_OF


def short_name(region: str) -> str:
    """The Region's short name: first part whole, then the initials of what follows, then the number.

    `us-east-1` is `use1`, `ap-southeast-1` is `apse1`, `us-gov-west-1` is `usgw1`. Two Regions of one partition
    never have the same short name (tested over all that botocore knows); across partitions they may, and a project
    stays in one.
    """
    first, *words, number = region.split("-")
    return first + "".join(_initials(word) for word in words) + number


def _initials(word: str) -> str:
    directions = _DIRECTION.findall(word)
    return "".join(d[0] for d in directions) if "".join(directions) == word else word[0]
