"""What breaking the glass lifts, and what it never does."""

from __future__ import annotations

import pytest

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.errors import Refused
from orchestrator.stages.approval.approve import reviewed
from orchestrator.stages.approval.break_glass import break_glass
from orchestrator.stages.release.apply import apply
from orchestrator.stages.release.plan import plan
from tests.support.accounts import TOOLING
from tests.support.callers import called_by, oncall
from tests.support.projects import DEV, E2eProject, NewProject
from tests.support.stages import Standing

__all__ = ["oncall"]

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
def project(new_project: NewProject) -> E2eProject:
    project = new_project("alone", "slow")
    project.commit({"envs/dev.yaml": DEV + RULES})
    project.tag(FIRST)
    project.commit({"main.tf": "# Everything is gone.\n"})
    project.tag(SECOND)
    return project


def test_only_what_it_is_for_is_lifted_and_a_topic_that_is_gone_stops_nobody(
    project: E2eProject, stand: Standing, oncall: CallerIdentity
) -> None:
    there = stand(project, FIRST)
    plan(there.ctx)
    alone = called_by(there.ctx, oncall)
    with pytest.raises(Refused, match="touches nothing that is protected"):
        break_glass(alone, reviewed(alone), REASON, True)
    given = break_glass(alone, reviewed(alone), REASON, False)
    assert given.missing is None
    assert given.answer.notified.startswith("nobody: cannot tell the subscribers of")
    assert "NOBODY COULD BE TOLD" in there.text
    again = stand(project, FIRST)
    break_glass(called_by(again.ctx, oncall), reviewed(again.ctx), REASON + " still", False)
    assert "You have said break-glass to this plan before; that stands." in again.text
    assert apply(stand(project, FIRST).ctx).result == "applied"

    plan(stand(project, SECOND).ctx)
    there = stand(project, SECOND)
    alone = called_by(there.ctx, oncall)
    break_glass(alone, reviewed(alone), REASON, False)
    with pytest.raises(Refused, match="would destroy or replace what is protected"):
        apply(stand(project, SECOND).ctx)
    break_glass(alone, reviewed(alone), REASON, True)
    plan(stand(project, SECOND).ctx)
    with pytest.raises(Refused, match="would destroy or replace"):
        apply(stand(project, SECOND).ctx)
    alone = called_by(stand(project, SECOND).ctx, oncall)
    break_glass(alone, reviewed(alone), REASON, True)
    applied = apply(stand(project, SECOND).ctx)
    assert applied.receipt.summary.destroy == 2
    kinds = [e.kind for e in alone.ledger.history(alone.release.target.id).entries]
    assert kinds.count("break-glass") == 3, "each stands in the chain"
    assert kinds.count("overridden") == 2
