"""The path of a release with each program that this machine has: Terraform always, OpenTofu where it can be found."""

from __future__ import annotations

import os

import pytest

from orchestrator.effects.tools.find import find
from orchestrator.errors import DependencyError
from orchestrator.model.tools.dialect import DIALECTS, OPENTOFU, TERRAFORM
from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

TAG = "dev_us-east-1/research/1.0"
VALUE = 'output "program" {\n  value = "%s"\n}\n'
PART = """\
resource "terraform_data" "this" {
  input = "x"
}
"""
TEST = """\
run "it_holds_x" {
  assert {
    condition     = terraform_data.this.output == "x"
    error_message = "it holds something else"
  }
}
"""
CODE = {
    "live/main.tf": 'module "part" {\n  source = "../modules/part"\n}\n',
    "live/program.tf": VALUE % TERRAFORM.program,
    "live/program.tofu": VALUE % OPENTOFU.program,
    "modules/part/main.tf": PART,
    "modules/part/tests/part.tftest.hcl": TEST,
}


def programs() -> list[str]:
    return [name for name in DIALECTS if name == TERRAFORM.program or _is_here(name)]


def _is_here(name: str) -> bool:
    try:
        return find(name, env=os.environ).name == name
    except DependencyError:
        return False


@pytest.fixture(params=programs())
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(program: str, new_project: NewProject) -> E2eProject:
    made = new_project(f"by-{program}", "slow", root="live")
    for path in (made.folder / "live").glob("*.tf"):
        path.unlink()
    rules = (made.folder / "envs/dev.yaml").read_text().replace("required: []", "required: [test]")
    settings = (made.folder / "envs/orchestrate.yaml").read_text() + f"terraform: {{program: {program}}}\n"
    made.commit({**CODE, "envs/dev.yaml": rules, "envs/orchestrate.yaml": settings})
    made.tag(TAG)
    return made


def test_a_release_is_planned_tested_and_applied(project: E2eProject, program: str) -> None:
    """The tests of the modules are required, so nothing is applied before they have passed on that very commit."""
    planned = project.ok_json("plan", "--tag", TAG)
    untested = project.run("apply", "--tag", TAG)
    tested = project.ok_json("test", "--tag", TAG)["reports"][0]
    applied = project.ok_json("apply", "--tag", TAG)
    again = project.ok_json("plan", "--tag", TAG)
    receipt = project.ok_json("status", "--env", "dev", "--team", "research")

    assert (planned["summary"]["add"], planned["checks"]["test"]) == (1, "not run")
    assert (untested.code, "`test` has not run" in untested.err) == (4, True)
    assert tested["tools"].keys() == {program}
    assert tested["cases"] == [{"file": "modules/part/tests/part.tftest.hcl", "name": "it_holds_x", "result": "passed"}]
    assert applied["outputs"] == {"program": program}, "each program reads its own files"
    assert (again["changes"], again["checks"]["test"]) == (False, "passed")
    assert "1.0" in str(receipt)
