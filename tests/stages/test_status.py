"""Which version runs where, also where an environment cannot be read."""

from __future__ import annotations

import pytest

from tests.integration.conftest import NewProject

pytestmark = pytest.mark.slow

PROD = """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "333333333333"}
"""


def test_an_environment_without_stores_hides_no_other(new_project: NewProject) -> None:
    project = new_project("half", "made-while-planning")
    project.commit({"envs/prod.yaml": PROD})
    found = project.run("status", "--format", "json")
    assert found.code == 6
    assert {target["env"] for target in found.json["targets"]} == {"dev"}
    assert "half-ledger-prod: it does not exist" in found.err
    assert "`orchestrate bootstrap --env prod` makes the stores." in found.err


def test_where_nothing_can_be_read_nothing_is_shown(new_project: NewProject) -> None:
    found = new_project("bare", "made-while-planning", bootstrap=False).run("status", "--format", "json")
    assert (found.code, found.out) == (6, "")
