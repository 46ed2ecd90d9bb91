"""`orchestrate release` of many tags on this machine: side by side, in waves, one answer for all."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import E2eProject, NewProject
from tests.support.workbench import until

pytestmark = pytest.mark.slow

SCOPES = ("global", "us-east-1", "eu-central-1")


def tags(project: E2eProject, version: str, team: str = "research") -> list[str]:
    return [project.tag(f"dev_{scope}/{team}/{version}") for scope in SCOPES]


def by_tag(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["tag"]: one for one in answer["releases"]}


# One commit for all tests, so that it is linted and scanned once; which plans fail, the tag decides.
FAILS = """\
variable "scope" {
  type = string
}

variable "release" {
  type = string
}

resource "terraform_data" "judged" {
  lifecycle {
    precondition {
      condition     = !contains(["dev_eu-central-1/research/1.0", "dev_global/research/2.0"], var.release)
      error_message = "${var.scope} cannot have it."
    }
  }
}
"""


@pytest.fixture(scope="module")
def project(new_project: NewProject) -> E2eProject:
    made = new_project("fleet", "slow")
    settings = (made.folder / "envs/orchestrate.yaml").read_text() + "terraform: {pass_env: [TF_VAR_gate]}\n"
    version = 'terraform {\n  required_version = ">= 1.11"\n}\n'
    made.commit({"envs/orchestrate.yaml": settings, "versions.tf": version, "judged.tf": FAILS})
    return made


def test_a_pattern_releases_every_target_and_one_that_fails_stops_no_other(project: E2eProject) -> None:
    names = tags(project, "1.0")
    project.tag("dev_us-east-1/research/1.0.x")
    done = project.run("release", "--tag", "dev_*/research/1.?", "--tag", "dev_*/research/1.0*", "--format", "json")
    assert done.code == 1, done.err
    assert "1 tags match" in done.err
    answer = done.json
    assert (answer["on"], answer["result"], answer["exit_code"]) == ("here", "failed", 1)
    found = by_tag(answer)
    assert {name: found[name]["result"] for name in names} == dict(
        zip(names, ["released", "released", "failed"], strict=True)
    )
    assert [found[name]["wave"] for name in names] == [1, 2, 2]
    failed = found[names[2]]
    assert failed["stage"] == "plan"
    assert "eu-central-1 cannot have it." in failed["why"]
    assert "== checks" in Path(failed["log"]).read_text()


def test_a_wave_that_fails_keeps_the_later_ones_from_beginning(project: E2eProject) -> None:
    names = tags(project, "2.0")
    done = project.run("release", "--tag", "dev_*/research/2.0", "--parallel", "1")
    assert done.code == 1, done.err
    head, *lines, last = done.out.splitlines()
    assert head.split() == ["TAG", "EXECUTION", "STAGE", "RESULT"]
    for name, result in zip(names, ["failed", "not begun", "not begun"], strict=True):
        assert result in next(line for line in lines if line.startswith(name))
    assert {"1 failed", "2 not begun"} == set(last.split(", "))
    assert f"[1/3] {names[0]}: failed" in done.err


def test_a_tag_that_may_not_be_released_is_told_without_a_process(project: E2eProject) -> None:
    project.git("tag", "dev_global/risk/3.0")
    project.tag("qa_global/research/3.0")
    done = project.run("release", "--tag", "*/*/3.0", "--format", "json")
    found = by_tag(done.json)
    assert done.code == 3
    assert [found[name]["result"] for name in ("dev_global/risk/3.0", "qa_global/research/3.0")] == [
        "refused",
        "invalid",
    ]
    assert "lightweight" in found["dev_global/risk/3.0"]["why"]
    assert found["dev_global/risk/3.0"]["log"] is None


def test_ctrl_c_stops_all_that_is_under_way(project: E2eProject, tmp_path: Path) -> None:
    gate, names = tmp_path / "gate", tags(project, "4.0", "risk")
    env = {"TF_VAR_gate": str(gate)}
    with project.start("release", "--tag", "dev_*/risk/4.0", "--format", "json", env=env) as running:
        until(Path(f"{gate}.reached").exists)
        running.send_signal(signal.SIGINT)
        gate.touch()
        out, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert [by_tag(json.loads(out))[name]["result"] for name in names] == ["interrupted", "not begun", "not begun"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--tag", "dev_*/research/9.9"], 3, "no release tag matches"),
        (["--tag", "dev_global/research/*"], 2, "two versions of one target"),
        (["--tag", "dev_global/research/1.0", "--wait"], 2, "--on aws"),
        (["--tag", "x", "--tag", "y"], 3, "not a release tag"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_begins(
    project: E2eProject, arguments: list[str], code: int, said: str
) -> None:
    done = project.run("release", *arguments)
    assert (done.code, said in done.err) == (code, True), done.err
