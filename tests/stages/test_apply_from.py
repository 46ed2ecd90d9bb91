"""`apply_from: pipeline`: nobody but the pipeline's apply step applies. That IAM says the same is proved elsewhere."""

from __future__ import annotations

import pytest

from orchestrator.errors import Refused
from orchestrator.stages.apply import apply, require_pipeline
from orchestrator.stages.plan import plan
from tests.integration.conftest import DEV, NewProject, Project
from tests.stages.conftest import Standing

pytestmark = pytest.mark.slow

TAG = "dev_global/research/1.0"
SESSION = "arn:aws:sts::000000000000:assumed-role/applyfrom-dev-{}/AWSCodeBuild-1"


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> Project:
    project = new_project("applyfrom", "slow")
    project.commit({"envs/dev.yaml": DEV + "apply_from: pipeline\n"})
    project.tag(TAG)
    return project


def test_a_laptop_may_plan_and_not_apply(project: Project, stand: Standing) -> None:
    plan(stand(project, TAG).at)
    with pytest.raises(Refused, match="applied from its pipeline alone") as error:
        apply(stand(project, TAG).at)
    assert error.value.exit_code == 4
    kinds = [entry.kind for entry in stand(project, TAG).at.ledger.history("research/dev-global").entries]
    assert "applying" not in kinds
    assert "applied" not in kinds


def test_only_the_apply_step_s_role_counts_as_the_pipeline(project: Project, stand: Standing) -> None:
    at = stand(project, TAG).at
    require_pipeline(at, SESSION.format("apply"))
    for other in ("plan", "people", "deploy", "apply2"):
        with pytest.raises(Refused):
            require_pipeline(at, SESSION.format(other))
