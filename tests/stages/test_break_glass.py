"""What breaking the glass lifts, and what it never does."""

from __future__ import annotations

import json
from dataclasses import replace

import boto3
import pytest

from orchestrator.effects.aws import Identity
from orchestrator.errors import Refused
from orchestrator.stages.apply import apply
from orchestrator.stages.approve import reviewed
from orchestrator.stages.break_glass import break_glass
from orchestrator.stages.plan import plan
from orchestrator.stages.surroundings import Surroundings
from tests.conftest import TOOLING
from tests.integration.conftest import DEV, NewProject, Project
from tests.stages.conftest import Standing

pytestmark = pytest.mark.slow

FIRST, SECOND = "dev_global/research/1.0", "dev_global/research/1.1"
RULES = f"""\
approval:
  required: true
  by: [Approvers]
  break_glass: {{by: [OnCall], notify: "arn:aws:sns:us-east-1:{TOOLING}:nobody-has-made-it"}}
policy: {{protected_addresses: [terraform_data.*]}}
"""
REASON = "orders are lost, nobody else is awake"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> Project:
    project = new_project("alone", "slow")
    project.commit({"envs/dev.yaml": DEV + RULES})
    project.tag(FIRST)
    project.commit({"main.tf": "# Everything is gone.\n"})
    project.tag(SECOND)
    return project


@pytest.fixture
def oncall(boto_env: None) -> Identity:
    """A session of the role OnCall, as IAM knows it."""
    iam = boto3.client("iam")
    try:
        role = iam.get_role(RoleName="OnCall")["Role"]
    except iam.exceptions.NoSuchEntityException:
        document = {"Version": "2012-10-17", "Statement": []}
        role = iam.create_role(RoleName="OnCall", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    arn = f"arn:aws:sts::{TOOLING}:assumed-role/OnCall/olga"
    return Identity(TOOLING, arn, f"{role['RoleId']}:olga")


def called_by(at: Surroundings, caller: Identity) -> Surroundings:
    there = replace(at)
    object.__setattr__(there.aws, "_identity", caller)
    return there


def test_only_what_it_is_for_is_lifted_and_a_topic_that_is_gone_stops_nobody(
    project: Project, stand: Standing, oncall: Identity
) -> None:
    there = stand(project, FIRST)
    plan(there.at)
    alone = called_by(there.at, oncall)
    with pytest.raises(Refused, match="touches nothing that is protected"):
        break_glass(alone, reviewed(alone), REASON, True)
    given = break_glass(alone, reviewed(alone), REASON, False)
    assert given.missing is None
    assert given.answer.notified.startswith("nobody: cannot tell the subscribers of")
    assert "NOBODY COULD BE TOLD" in there.text
    again = stand(project, FIRST)
    break_glass(called_by(again.at, oncall), reviewed(again.at), REASON + " still", False)
    assert "You have said break-glass to this plan before; that stands." in again.text
    assert apply(stand(project, FIRST).at).result == "applied"

    plan(stand(project, SECOND).at)
    there = stand(project, SECOND)
    alone = called_by(there.at, oncall)
    break_glass(alone, reviewed(alone), REASON, False)
    with pytest.raises(Refused, match="would destroy or replace what is protected"):
        apply(stand(project, SECOND).at)
    break_glass(alone, reviewed(alone), REASON, True)
    plan(stand(project, SECOND).at)
    with pytest.raises(Refused, match="would destroy or replace"):
        apply(stand(project, SECOND).at)
    alone = called_by(stand(project, SECOND).at, oncall)
    break_glass(alone, reviewed(alone), REASON, True)
    applied = apply(stand(project, SECOND).at)
    assert applied.receipt.summary.destroy == 2
    kinds = [e.kind for e in alone.ledger.history(alone.release.target.id).entries]
    assert kinds.count("break-glass") == 3, "each stands in the chain"
    assert kinds.count("overridden") == 2
