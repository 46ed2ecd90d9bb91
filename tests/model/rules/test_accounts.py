"""What the deployment roles of each account are given, and which accounts may be asked for."""

from __future__ import annotations

import pytest

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.accounts import accounts
from orchestrator.model.rules.rules import Rules

PROJECT = """\
state: {prefix: acme, region: us-east-1}
tooling: {account: "000000000000"}
workload: {external_id: acme, services: [sqs, ec2]}
"""
DEV = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "111111111111"}}
"""
QA = DEV.replace("research", "risk").replace("111111111111", "222222222222")
RULES = Rules.parse({"envs/orchestrate.yaml": PROJECT, "envs/dev.yaml": DEV, "envs/qa.yaml": QA})


def test_external_id_and_services_are_handed_on() -> None:
    (account,) = accounts(RULES, ["dev"], [])
    assert account.variables["external_id"] == "acme"
    assert account.variables["services"] == ["ec2", "sqs"]


def test_a_team_that_the_environment_does_not_have_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="no environment of dev has a team of risk"):
        accounts(RULES, ["dev"], ["risk"])
