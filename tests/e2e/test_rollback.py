"""Going back to an earlier release through the command line: previewed, tagged anew, and through the same rules."""

from __future__ import annotations

import pytest

from tests.support.projects import E2eProject, NewProject

pytestmark = pytest.mark.slow

PLACE = ("--env", "dev", "--team", "research", "--scope", "global")
FIRST, SECOND, BACK = (f"dev_global/research/{version}" for version in ("1.0", "1.1", "1.1.1"))
VERSIONS = 'terraform {\n  required_version = ">= 1.11"\n}\n'
LATER = 'resource "terraform_data" "later" {\n  input = "came with 1.1"\n}\n'


@pytest.fixture(scope="module")
def released(new_project: NewProject) -> E2eProject:
    """Version 1.0 ran, then 1.1 with one resource more."""
    project = new_project("back", "slow")
    for tag, files in ((FIRST, {"versions.tf": VERSIONS}), (SECOND, {"later.tf": LATER})):
        project.commit(files)
        project.tag(tag)
        project.ok("plan", "--tag", tag)
        project.ok("apply", "--tag", tag)
    return project


def test_a_rollback_is_previewed_and_then_released_as_a_new_version(released: E2eProject) -> None:
    old = released.git("rev-parse", f"{FIRST}^{{commit}}")
    seen = released.ok_json("rollback", *PLACE, "--preview")
    assert (seen["tag"], seen["commit"], seen["rollback"]) == (BACK, old, {"left": SECOND, "to": FIRST})
    assert (seen["summary"]["destroy"], seen["needs_override"]) == (1, ["terraform_data.later"])
    assert (seen["tagged"], seen["release"]) == (False, None)
    assert released.git("tag", "--list", BACK) == "", "a preview makes nothing"

    stopped = released.run("rollback", *PLACE, "--yes", "--format", "json")
    assert stopped.code == 4, stopped.err
    assert f"would destroy or replace what {SECOND} has and {FIRST} had not" in stopped.err
    assert (stopped.json["tagged"], stopped.json["release"]["result"]) == (True, "stopped")
    assert released.git("rev-parse", f"{BACK}^{{commit}}") == old
    assert released.git("tag", "--list", "--format", "%(contents:subject)", BACK) == f"Rollback of {SECOND} to {FIRST}"

    again = released.run("rollback", *PLACE, "--yes")
    assert again.code == 4, "the tag that was made is gone on with; there is no second one"
    assert "made before, not released yet" in again.err
    assert released.run("apply", "--tag", BACK).code == 4
    released.ok("approve", "--tag", BACK, "--yes", "--override", "--reason", "1.1 lost orders; later holds nothing")
    done = released.ok_json("release", "--tag", BACK)
    assert [stage["stage"] for stage in done["stages"]] == ["approve", "apply", "verify"], (
        "the reviewed plan is applied"
    )
    entries = released.ok_json("history", "--env", "dev", "--scope", "global")["entries"]
    marked = {entry["kind"] for entry in entries if "rollback" in entry["detail"]}
    assert marked == {"planned", "applying", "applied"}
    status = released.ok_json("status", "--team", "research", "--scope", "global")["targets"][0]
    assert (status["version"], status["commit"]) == ("1.1.1", old)

    nothing = released.run("rollback", *PLACE, "--yes")
    assert nothing.code == 4
    assert "1.1 was not verified, or has been rolled back from" in nothing.err
    forward = released.ok_json("rollback", *PLACE, "--to", "1.1", "--preview")
    assert (forward["tag"], forward["summary"]["add"]) == ("dev_global/research/1.1.2", 1)
