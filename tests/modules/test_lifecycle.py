"""The blocks from nothing to nothing on the emulated AWS: apply, plan again, change one input, destroy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrator.sandbox.clients import client
from orchestrator.sandbox.process import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def blocks(root: Callable[..., Any]) -> Iterator[Any]:
    """Applied; the last test of this file has destroyed it."""
    applied = root("../tests/modules/roots/blocks")
    applied.apply({})
    yield applied
    assert applied.state() == set(), "the last test destroys everything"


def test_second_plan_has_no_changes(blocks: Any) -> None:
    assert blocks.changes({}) == {}


def test_default_security_group_lets_nothing_through(blocks: Any, emulated: Sandbox) -> None:
    groups = client(emulated, "ec2").describe_security_groups(
        Filters=[
            {"Name": "group-name", "Values": ["default"]},
            {"Name": "vpc-id", "Values": [blocks.outputs()["vpc_id"]]},
        ]
    )["SecurityGroups"]
    assert [(group["IpPermissions"], group["IpPermissionsEgress"]) for group in groups] == [([], [])]


def test_a_zone_between_others_adds_its_own_resources_and_touches_no_other_zone(blocks: Any) -> None:
    found = blocks.changes({"zones": ["a", "b", "c"]}, refresh=False)
    updated = {address for address, action in found.items() if action == "update"}
    assert updated == {f'module.network.aws_vpc_endpoint.gateway["{service}"]' for service in ("dynamodb", "s3")}
    created = set(found) - updated
    assert {found[address] for address in created} == {"create"}
    assert len(created) == 6
    assert all(address.endswith('["us-east-1b"]') for address in created)


def test_nat_for_each_zone_moves_only_the_other_zones_route(blocks: Any) -> None:
    assert blocks.changes({"nat": "per_zone"}, refresh=False) == {
        'module.network.aws_eip.nat["us-east-1c"]': "create",
        'module.network.aws_nat_gateway.this["us-east-1c"]': "create",
        'module.network.aws_route.nat["us-east-1c"]': "update",
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"role_versions": [1, 2]},
            {
                'module.role["v2"].aws_iam_role.this': "create",
                'module.role["v2"].aws_iam_role_policy.this["permissions"]': "create",
            },
            id="another-version-of-a-role-leaves-the-first-alone",
        ),
        pytest.param(
            {"managed_names": ["dev-research-*", "dev-shared-*"]},
            {"module.deploy_roles.aws_iam_role_policy.build": "update"},
            id="managed-names-change-the-build-policy-alone",
        ),
        pytest.param(
            {"replica_regions": ["eu-central-1", "ap-southeast-1"]},
            {"module.table.aws_dynamodb_table.this": "update"},
            id="another-replica-changes-the-table-in-place",
        ),
        pytest.param(
            {"table_protected": True},
            {"module.table.aws_dynamodb_table.this": "update"},
            id="protection-changes-the-table-in-place",
        ),
    ],
)
def test_one_input_changes_only_what_it_should(
    blocks: Any, changed: dict[str, object], expected: dict[str, str]
) -> None:
    assert blocks.changes(changed, refresh=False) == expected


def test_destroy_leaves_nothing(blocks: Any, emulated: Sandbox) -> None:
    vpc = blocks.outputs()["vpc_id"]
    blocks.destroy({})
    assert blocks.state() == set()
    left = client(emulated, "ec2").describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Vpcs"]
    roles = client(emulated, "iam").list_roles()["Roles"]
    regions = ("us-east-1", "eu-central-1")
    tables = [
        name for where in regions for name in client(emulated, "dynamodb", region=where).list_tables()["TableNames"]
    ]
    groups = client(emulated, "logs").describe_log_groups()["logGroups"]
    assert (left, roles, tables, groups) == ([], [], [], [])
