"""`apply_from: pipeline`: nobody but the pipeline's apply step applies. That IAM says the same is proved elsewhere."""

from __future__ import annotations

import pytest

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.errors import Refused
from orchestrator.stages.approval.approve import reviewed
from orchestrator.stages.approval.break_glass import break_glass
from orchestrator.stages.gates.apply_from import check
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.release.apply import apply
from orchestrator.stages.release.plan import plan
from tests.support.accounts import TOOLING
from tests.support.callers import called_by, oncall
from tests.support.projects import DEV, E2eProject, NewProject
from tests.support.stages import Standing

__all__ = ["oncall"]

pytestmark = pytest.mark.slow

TAG = "dev_global/research/1.0"
SESSION = "arn:aws:sts::000000000000:assumed-role/applyfrom-dev-{}/AWSCodeBuild-1"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    project = new_project("applyfrom", "slow")
    project.commit({"envs/dev.yaml": DEV + "apply_from: pipeline\n"})
    project.tag(TAG)
    return project


def test_a_laptop_may_plan_and_not_apply(project: E2eProject, stand: Standing) -> None:
    plan(stand(project, TAG).ctx)
    with pytest.raises(Refused, match="applied from its pipeline alone") as error:
        apply(stand(project, TAG).ctx)
    assert error.value.exit_code == 4
    kinds = [entry.kind for entry in stand(project, TAG).ctx.ledger.history("research/dev-global").entries]
    assert "applying" not in kinds
    assert "applied" not in kinds


def test_only_the_apply_step_s_role_counts_as_the_pipeline(project: E2eProject, stand: Standing) -> None:
    at = stand(project, TAG).ctx
    plan(at)
    for step, counts in (("apply", True), ("plan", False), ("people", False), ("deploy", False), ("apply2", False)):
        asked = GateContext.of(at, "apply")
        asked.facts["by"] = SESSION.format(step)
        assert (check(asked) is None) is counts, step


def test_who_breaks_the_glass_opens_the_window_for_the_pipeline_and_does_not_apply_themselves(
    project: E2eProject, stand: Standing, oncall: CallerIdentity
) -> None:
    glass = f'break_glass: {{by: [OnCall], notify: "arn:aws:sns:us-east-1:{TOOLING}:nobody-has-made-it"}}'
    rules = f"approval: {{required: true, count: 2, {glass}}}\n"
    frozen = 'freeze: [{from: "2020-01-01", to: "2099-12-31", reason: year end}]\n'
    project.commit({"envs/dev.yaml": f"{DEV}apply_from: pipeline\n{rules}{frozen}"})
    plan(stand(project, TAG).ctx)
    pipeline = CallerIdentity(TOOLING, SESSION.format("apply"), "AROAAPPLY:AWSCodeBuild-1")
    with pytest.raises(Refused, match="changes are frozen"):
        apply(called_by(stand(project, TAG).ctx, pipeline))
    alone = called_by(stand(project, TAG).ctx, oncall)
    break_glass(alone, reviewed(alone), "orders are lost, nobody else is awake", False)
    with pytest.raises(Refused, match="applied from its pipeline alone"):
        apply(alone)
    assert apply(called_by(stand(project, TAG).ctx, pipeline)).result == "applied"
