"""Terraform's own reading of the provider blocks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.terraform import credentials
from orchestrator.model.terraform.override import UNSET, ProviderIdentity

ACCOUNT = "111111111111"
IDENTITY = ProviderIdentity(ACCOUNT, "us-east-1", "INFRA_BUILD", "acme", {"env": "dev"})
NAME = "registry.terraform.io/hashicorp/aws"
ROLE = {"constant_value": "${var.orchestrate_role_arn}", "references": ["var.orchestrate_role_arn"]}
# What Terraform 1.11 tells of a block that our override file holds.
GIVEN: dict[str, Any] = {
    "allowed_account_ids": {"constant_value": [ACCOUNT]},
    "assume_role": [
        {
            "role_arn": ROLE,
            "session_name": {"constant_value": "INFRA_BUILD"},
            "external_id": {"constant_value": "acme"},
            "tags": {"constant_value": {"env": "dev"}},
        }
    ],
    "region": {"constant_value": "us-east-1"},
    **{name: {"constant_value": None} for name in UNSET},
}


def plan(**providers: dict[str, Any]) -> bytes:
    named = {
        key.replace("__", "."): {"name": key.partition("__")[0], "full_name": NAME, **value}
        for key, value in providers.items()
    }
    return json.dumps({"format_version": "1.2", "configuration": {"provider_config": named}}).encode()


def check(content: bytes, unmanaged: tuple[str, ...] = (), graph: str = "digraph {}") -> None:
    """As if the override file had taken over every configuration that the plan shows."""
    found = json.loads(content).get("configuration", {}).get("provider_config", {})
    credentials.check(content, IDENTITY, unmanaged, set(found), lambda: graph)


def refused(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        check(content)


def test_blocks_that_run_under_the_role_are_fine() -> None:
    check(plan(aws={"expressions": GIVEN}, aws__a={"alias": "a", "expressions": GIVEN}))


def test_other_providers_and_plans_without_any_are_fine() -> None:
    check(b"{}")
    check(plan(random={"full_name": "registry.terraform.io/hashicorp/random"}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"assume_role": None}, "another role, or none"),
        ({"assume_role": []}, "another role, or none"),
        ({"assume_role": GIVEN["assume_role"] * 2}, "another role, or none"),
        ({"assume_role": [{"role_arn": {"constant_value": "arn:aws:iam::9:role/X"}}]}, "another role, or none"),
        ({"assume_role": [{"role_arn": {"references": ROLE["references"]}}]}, "another role, or none"),
        ({"assume_role": [GIVEN["assume_role"][0] | {"policy": {"constant_value": "{}"}}]}, "another role, or none"),
        ({"assume_role": [GIVEN["assume_role"][0] | {"tags": {"constant_value": {}}}]}, "another role, or none"),
        ({"endpoints": [{"sts": {"constant_value": "https://sts.example.com"}}]}, "sets endpoints"),
        ({"http_proxy": {"constant_value": "http://example.com"}}, "sets http_proxy"),
        ({"https_proxy": {"references": ["var.x"]}}, "sets https_proxy"),
        ({"custom_ca_bundle": {"constant_value": "x.pem"}}, "sets custom_ca_bundle"),
        ({"an_argument_of_a_later_version": {"constant_value": 1}}, "sets an_argument_of_a_later_version"),
        ({"region": {"constant_value": "eu-west-3"}}, "its Region is not us-east-1"),
        ({"allowed_account_ids": None}, "not held to account 111111111111"),
        ({"allowed_account_ids": {"constant_value": [ACCOUNT, "9"]}}, "not held to account"),
        ({"allowed_account_ids": {"references": ["var.x"]}}, "not held to account"),
        ({"profile": {"constant_value": "x"}}, "sets profile"),
        ({"access_key": {"references": ["var.x"]}}, "sets access_key"),
        ({"skip_requesting_account_id": {"constant_value": True}}, "sets skip_requesting_account_id"),
        ({"assume_role_with_web_identity": [{"role_arn": ROLE}]}, "sets assume_role_with_web_identity"),
    ],
)
def test_a_block_that_escaped_is_refused(change: dict[str, Any], reason: str) -> None:
    refused(plan(aws={"expressions": GIVEN | change}), reason)


def test_what_names_no_provider_inherits_the_default_one() -> None:
    check(plan(aws={}, corp={"expressions": GIVEN}))
    refused(plan(aws={}, corp={"expressions": GIVEN, "alias": "a"}), "neither configures it")
    refused(plan(aws={"expressions": GIVEN}, aws__a={"alias": "a"}), "another role, or none")


def test_a_provider_without_configuration_is_refused() -> None:
    refused(plan(aws={"expressions": GIVEN}, corp={}), "another role, or none")
    refused(plan(corp={}), r"the provider corp \(registry.terraform.io/hashicorp/aws\) would not run under")


def test_a_mirrored_or_forked_provider_is_looked_at() -> None:
    refused(plan(corp={"full_name": "mirror.example.com/team/aws"}), "the provider corp")


def test_unmanaged_providers_are_passed_over() -> None:
    check(plan(aws={"expressions": GIVEN}, aws__dns={"alias": "dns"}), ("aws.dns",))
    check(plan(aws={}, module={"module_address": "module.c"}), ("aws",))


def test_modules_inherit_from_the_root_alone() -> None:
    child = {"module_address": "module.c"}
    check(plan(aws={"expressions": GIVEN}, module=child))
    refused(plan(aws={"expressions": GIVEN}, module=child | {"expressions": GIVEN}), "module.c configures it")
    alone = plan(module=child, aws__a={"alias": "a", "expressions": GIVEN})
    refused(alone, "the root neither configures it nor names it")


def test_a_provider_with_two_local_names_is_refused() -> None:
    """Terraform shows the settings of both and uses those of one."""
    twins = plan(aws={"expressions": GIVEN}, corp={"expressions": GIVEN})
    refused(twins, "configures the provider .*/aws under several local names: aws, corp")


def test_what_decides_nothing_is_the_roots_to_set_and_so_is_the_region_of_an_alias() -> None:
    own = {"default_tags": [{"tags": {"references": ["var.tags"]}}], "retry_mode": {"constant_value": "adaptive"}}
    elsewhere = GIVEN | {"region": {"references": ["var.region"]}}
    check(plan(aws={"expressions": GIVEN | own}, aws__a={"alias": "a", "expressions": elsewhere}))


def test_a_block_that_imitates_what_the_override_file_sets_is_refused() -> None:
    """The plan does not show its dynamic blocks, which no override has removed."""
    both = plan(aws={"expressions": GIVEN}, aws__a={"alias": "a", "expressions": GIVEN})
    credentials.check(both, IDENTITY, (), {"aws", "aws.a"}, str)
    with pytest.raises(InvalidInput, match=r"the provider aws\.a .* it was not found"):
        credentials.check(both, IDENTITY, (), {"aws"}, str)


GRAPH = r"""digraph {
	compound = "true"
	subgraph "root" {
		"[root] %s" [label = "x", shape = "diamond"]
		"[root] root" -> "[root] provider[\"registry.terraform.io/hashicorp/aws\"] (close)"
	}
}
"""


@pytest.mark.parametrize("node", ["module.c.", "module.a.module.b."])
def test_a_module_whose_block_shows_nothing_is_found_in_the_graph(node: str) -> None:
    shown = plan(aws={"expressions": GIVEN}, module={"module_address": node.removesuffix(".")})
    inherited = r"provider[\"registry.terraform.io/hashicorp/aws\"]"
    other = rf"{node}provider[\"registry.terraform.io/hashicorp/random\"]"
    for harmless in (inherited, other):
        check(shown, graph=GRAPH % harmless)
    with pytest.raises(InvalidInput, match=f"{node.removesuffix('.')} configures an aws provider of its own"):
        check(shown, graph=GRAPH % (node + inherited))
