"""A stored plan as time goes by: expiry and change windows at their edges, on a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from orchestrator.effects.system import clock
from orchestrator.effects.terraform.terraform import Terraform
from orchestrator.errors import Refused
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.approval.approve import ApprovalReply, approve, reviewed
from orchestrator.stages.release.apply import apply
from orchestrator.stages.release.plan import plan
from tests.support.projects import DEV, E2eProject, NewProject
from tests.support.stages import Stand, Standing

pytestmark = pytest.mark.slow

TAG = "dev_global/research/1.0"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    project = new_project("standing", "slow")
    project.commit({"envs/dev.yaml": DEV + "approval: {required: true}\n"})
    project.tag(TAG)
    return project


@pytest.fixture
def planned(project: E2eProject, stand: Standing) -> PlanReceipt:
    return plan(stand(project, TAG).ctx).receipt


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def refusal(there: Stand) -> str:
    with pytest.raises(Refused) as error:
        apply(there.ctx)
    return error.value.message


def test_an_approved_plan_counts_until_the_second_it_expires(
    project: E2eProject, stand: Standing, planned: PlanReceipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, expiry = stand(project, TAG), datetime.fromisoformat(planned.expires_at)
    at(monkeypatch, expiry - timedelta(seconds=1))
    assert approve(there.ctx, reviewed(there.ctx), ApprovalReply("approved", "")).missing is None
    at(monkeypatch, expiry)
    with pytest.raises(Refused, match="expired at"):
        reviewed(there.ctx)
    assert "expired at" in refusal(there)
    at(monkeypatch, expiry - timedelta(seconds=1))
    assert apply(there.ctx).result == "applied"
    with pytest.raises(Refused, match="has been applied already"):
        reviewed(there.ctx)


def test_the_window_opens_and_closes_to_the_minute(
    project: E2eProject, stand: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sunday in Auckland is Saturday in UTC."""
    sunday = 'windows: [{days: [sun], from: "09:00", to: "10:00", timezone: Pacific/Auckland}]\n'
    project.commit({"envs/dev.yaml": DEV + sunday, "envs/dev.tfvars": 'content = "two"\n'})
    tag = project.tag("dev_global/research/1.1")
    opens = datetime(2030, 6, 1, 21, tzinfo=UTC)
    at(monkeypatch, opens - timedelta(hours=2))
    plan(stand(project, tag).ctx)
    for now in (opens - timedelta(seconds=1), opens + timedelta(hours=1)):
        at(monkeypatch, now)
        assert "the change window is closed; it is open sun 09:00-10:00 (Pacific/Auckland)" in refusal(
            stand(project, tag)
        )
    at(monkeypatch, opens)
    assert apply(stand(project, tag).ctx).result == "applied"


def test_a_fault_of_our_own_still_records_how_the_apply_ended(
    project: E2eProject, stand: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.commit({"envs/dev.yaml": DEV, "envs/dev.tfvars": 'content = "three"\n'})
    tag = project.tag("dev_global/research/1.2")
    plan(stand(project, tag).ctx)

    def broken(self: Terraform, role: str) -> NoReturn:
        raise TypeError("with a secret")

    monkeypatch.setattr(Terraform, "apply", broken)
    there = stand(project, tag)
    with pytest.raises(TypeError):
        apply(there.ctx)
    ended = there.ctx.ledger.history(there.ctx.release.target.id).last
    assert ended is not None
    assert (ended.kind, ended.detail["reason"]) == ("failed", "orchestrate itself failed (TypeError)")
