"""The blocks from nothing to nothing on the emulated AWS: apply, plan again, change one input, destroy."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

import pytest

from orchestrate_sandbox.clients import client
from orchestrate_sandbox.process import Sandbox
from tests.support.modules.runs import ModuleRun, RunsOutcome

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def blocks(blocks_begun: Future[RunsOutcome]) -> Mapping[str, ModuleRun]:
    """The runs of `roots/blocks`, which have destroyed it."""
    outcome = blocks_begun.result()
    runs = outcome.of("lifecycle")
    assert {name: run.said for name, run in runs.items() if run.status != "pass"} == {}
    assert (outcome.code, outcome.said) == (0, []), "it must also be destroyed"
    return runs


def test_second_plan_has_no_changes(blocks: Mapping[str, ModuleRun]) -> None:
    assert blocks["nothing_changed"].changes == {}


def test_a_zone_between_others_adds_its_own_resources_and_touches_no_other_zone(
    blocks: Mapping[str, ModuleRun],
) -> None:
    found = blocks["a_zone_between_others"].changes
    updated = {address for address, action in found.items() if action == "update"}
    assert updated == {f'module.network.aws_vpc_endpoint.gateway["{service}"]' for service in ("dynamodb", "s3")}
    created = set(found) - updated
    assert {found[address] for address in created} == {"create"}
    assert len(created) == 6
    assert all(address.endswith('["us-east-1b"]') for address in created)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "nat_for_each_zone",
            {
                'module.network.aws_eip.nat["us-east-1c"]': "create",
                'module.network.aws_nat_gateway.this["us-east-1c"]': "create",
                'module.network.aws_route.nat["us-east-1c"]': "update",
            },
        ),
        (
            "another_version_of_a_role",
            {
                'module.role["v2"].aws_iam_role.this': "create",
                'module.role["v2"].aws_iam_role_policy.this["permissions"]': "create",
            },
        ),
        ("more_managed_names", {"module.deploy_roles.aws_iam_role_policy.build": "update"}),
        ("another_replica", {"module.table.aws_dynamodb_table.this": "update"}),
        ("protection", {"module.table.aws_dynamodb_table.this": "update"}),
    ],
)
def test_one_input_changes_only_what_it_should(
    blocks: Mapping[str, ModuleRun], name: str, expected: dict[str, str]
) -> None:
    assert blocks[name].changes == expected


def test_destroy_leaves_nothing(blocks: Mapping[str, ModuleRun], emulated: Sandbox) -> None:
    ours = [{"Name": "tag:Name", "Values": ["blocks"]}]
    left = client(emulated, "ec2").describe_vpcs(Filters=ours)["Vpcs"]
    roles = [role["RoleName"] for role in client(emulated, "iam").list_roles()["Roles"]]
    regions = ("us-east-1", "eu-central-1")
    tables = [
        name for where in regions for name in client(emulated, "dynamodb", region=where).list_tables()["TableNames"]
    ]
    groups = client(emulated, "logs").describe_log_groups(logGroupNamePrefix="/blocks/")["logGroups"]
    assert (left, [name for name in roles if name.startswith(("Infra", "blocks-"))], tables, groups) == ([], [], [], [])
