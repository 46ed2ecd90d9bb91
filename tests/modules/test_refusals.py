"""Bad input ends at the plan, with words that say what to change. (`terraform test` shows only that it ends.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

WORKLOAD = {
    "account": "000000000000",
    "region": "us-east-1",
    "env": "qa",
    "team": "research",
    "scope": "us-east-1",
    "release": "qa_us-east-1/research/1.0",
}
NETWORK = {
    "name": "qa-research",
    "cidr": "10.20.0.0/16",
    "zones": {"us-east-1a": {"public": "10.20.0.0/20", "private": "10.20.128.0/20"}},
    "flow_logs": {"role_arn": "arn:aws:iam::000000000000:role/flow-logs"},
}
ROLE = {
    "name": "a-role-name-of-sixty-characters-which-is-still-short-enough-",
    "description": "x",
    "trusted_services": ["ec2.amazonaws.com"],
    "policies": {"permissions": '{"Statement": []}'},
    "permissions_boundary_arn": None,
}


@pytest.fixture(scope="module")
def ready(root: Callable[..., Any], modules: Callable[[None], Any]) -> Callable[[str], Any]:
    """Each module once, whatever number of tests needs it."""
    copy, made = modules(None), dict[str, Any]()

    def module(name: str) -> Any:
        if name not in made:
            made[name] = root(name, copy=copy)
        return made[name]

    return module


@pytest.mark.parametrize(
    ("name", "variables", "said"),
    [
        pytest.param(
            "network",
            NETWORK | {"zones": {"us-east-1a": {"public": "10.20.0.0/17", "private": "10.20.64.0/20"}}},
            "zones holds subnets that overlap: us-east-1a private 10.20.64.0/20 and us-east-1a public 10.20.0.0/17. "
            "Give each a range of its own.",
            id="overlapping-cidrs",
        ),
        pytest.param(
            "network",
            NETWORK | {"zones": {"us-east-1a": {"public": "10.20.0.0/29", "private": "10.20.128.0/20"}}},
            "zones holds subnets smaller than /28, the smallest that AWS makes: us-east-1a public 10.20.0.0/29. "
            "Give them more addresses, or the VPC a larger cidr.",
            id="too-small-cidr",
        ),
        pytest.param(
            "network", NETWORK | {"zones": {}}, "zones is empty: name at least one availability zone", id="no-zone"
        ),
        pytest.param(
            "workload",
            WORKLOAD | {"scope": "everywhere"},
            'scope is "everywhere": it is global, or the Region itself (region is "us-east-1").',
            id="unknown-scope",
        ),
        pytest.param(
            "workload",
            WORKLOAD | {"allowed_regions": ["eu-central-1"]},
            "region is us-east-1, which allowed_regions does not list (eu-central-1). Release to a listed Region, or "
            "add this one",
            id="region-not-listed",
        ),
        pytest.param(
            "workload",
            WORKLOAD | {"scope": "global", "account": "111111111111"},
            "The provider's credentials belong to account 000000000000, but account is 111111111111. Release with the "
            "role of account 111111111111, or correct the team's account in envs/.",
            id="account-mismatch-global",
        ),
        pytest.param(
            "workload",
            WORKLOAD | {"account": "111111111111"},
            "The provider's credentials belong to account 000000000000, but account is 111111111111.",
            id="account-mismatch-regional",
        ),
        pytest.param(
            "workload",
            WORKLOAD,
            "The role qa-research-flow-logs is not there yet. It belongs to the global scope: release "
            "qa_global/research/1.0 first.",
            id="regional-before-global",
        ),
        pytest.param(
            "service-role",
            ROLE | {"region": "ap-southeast-1"},
            'The role\'s name "a-role-name-of-sixty-characters-which-is-still-short-enough--apse1" has 66 characters, '
            "and IAM allows 64. Shorten name.",
            id="role-name-too-long",
        ),
    ],
)
def test_bad_input_is_refused_at_the_plan(
    ready: Callable[[str], Any], name: str, variables: dict[str, object], said: str
) -> None:
    assert said in ready(name).refusal(variables)
