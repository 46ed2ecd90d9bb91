"""The table of Regions against botocore's."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
import pytest

from orchestrator.model.rules.region import PARTITIONS, REGIONS, is_known, partition_of, short_name


def botocore_regions() -> dict[str, str]:
    """Partition by Region, as botocore's own data says; pseudo-Regions such as aws-global left out."""
    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    return {
        region: partition["id"]
        for partition in data["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    }


def test_the_table_is_botocores() -> None:
    ours = {region: partition for partition, regions in PARTITIONS.items() for region in regions.split()}
    assert ours == botocore_regions()
    assert tuple(sorted(ours)) == REGIONS
    assert all(partition_of(region) == partition for region, partition in ours.items())


def test_known_regions() -> None:
    assert all(map(is_known, REGIONS))
    assert not is_known("us-east-11")
    assert not is_known("global")
    with pytest.raises(KeyError):
        partition_of("us-east-11")


@pytest.mark.parametrize("partition", PARTITIONS)
def test_short_names_are_unique_within_a_partition(partition: str) -> None:
    regions = PARTITIONS[partition].split()
    short = {short_name(region) for region in regions}
    assert len(short) == len(regions)
    assert all(name.isalnum() and name.isascii() and name == name.lower() for name in short)


@pytest.mark.parametrize(
    ("region", "short"),
    [
        ("us-east-1", "use1"),
        ("eu-central-1", "euc1"),
        ("ap-southeast-1", "apse1"),
        ("ap-northeast-3", "apne3"),
        ("us-gov-west-1", "usgw1"),
        ("cn-northwest-1", "cnnw1"),
        ("ca-west-1", "caw1"),
    ],
)
def test_short_names(region: str, short: str) -> None:
    assert short_name(region) == short
