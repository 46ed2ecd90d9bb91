"""Every `orchestrate` command that README.md names is run here; a command that is added there fails until it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.conftest import LOCK_FILE, NewProject, Project

pytestmark = pytest.mark.slow

README = (Path(__file__).parents[2] / "README.md").read_text()
TAG = "dev_us-east-1/research/1.0"

ROOT = """\
terraform {
  required_version = ">= 1.11"
}

variable "release" {
  description = "What is released."
  type        = string
}

resource "terraform_data" "this" {
  input = var.release
}
"""

# What README.md names, and how it is run here; those of the demo's excerpt are the demo's test.
COMMANDS = {
    f"orchestrate show --tag {TAG}": ("show", "--tag", TAG),
    "orchestrate targets": ("targets",),
    "orchestrate bootstrap --env dev": ("bootstrap", "--env", "dev"),
    "orchestrate lint": ("lint", "--tag", TAG),
    f"orchestrate release --tag {TAG}": ("release", "--tag", TAG),
    "orchestrate check": ("check",),
    "orchestrate status": ("status",),
    "orchestrate history": ("history",),
    "orchestrate history --verify": ("history", "--verify"),
    "orchestrate history --export evidence.tar": ("history", "--export", "evidence.tar"),
    f"orchestrate recover --tag {TAG}": ("recover", "--tag", TAG),
    "orchestrate schema environment": ("schema", "environment"),
    "orchestrate doctor": ("doctor", "--env", "dev"),
    "orchestrate bootstrap": ("bootstrap", "--env", "dev", "--check"),
    "orchestrate tools install": ("tools", "install"),
    "orchestrate sandbox run -- CMD": ("sandbox", "run", "--", "true"),
}
MADE_BEFORE = {
    "orchestrate tag --env dev --team research --version 1.0 --all-scopes --push",
    "orchestrate tag ... && orchestrate release --tag ...",
    "orchestrate",
}
# Those with an AWS account's worth of resources have tests of their own.
ELSEWHERE = {
    "orchestrate tooling apply": "tests/modules/tooling/test_tooling.py",
    "orchestrate accounts --apply": "tests/cli/test_accounts.py",
    "orchestrate adopt ... --check": "tests/integration/test_adopt.py",
}


def named() -> set[str]:
    text = README.replace(README.partition("```text\n")[2].partition("```")[0], "")
    return {re.sub(r"\s+", " ", command) for command in re.findall(r"`(orchestrate(?: [^`]*)?)`", text)}


@pytest.fixture(scope="module")
def project(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = new_project("readme", "slow", root="modules/workload", bootstrap=False)
    made.git("rm", "--quiet", "main.tf")
    made.commit({"modules/workload/main.tf": ROOT})
    remote = tmp_path_factory.mktemp("remote")
    made.git("init", "--quiet", "--bare", "--initial-branch", "main", str(remote))
    made.git("remote", "add", "origin", str(remote))
    made.git("push", "--quiet", "origin", "main")
    made.ok("bootstrap")
    made.ok("tag", "--env", "dev", "--team", "research", "--version", "1.0", "--all-scopes", "--push")
    assert made.git("ls-remote", "--tags", "origin", f"refs/tags/{TAG}")
    return made


def test_no_command_is_named_that_is_not_run() -> None:
    assert named() - MADE_BEFORE - set(ELSEWHERE) == set(COMMANDS)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_not_run_here_is_run_by_a_test_of_its_own(command: str) -> None:
    _, name, option = re.sub(r" \.\.\.", "", command).split()
    text = (Path(__file__).parents[2] / ELSEWHERE[command]).read_text()
    assert f'"{name}"' in text
    assert f'"{option}"' in text


@pytest.mark.parametrize("command", COMMANDS)
def test_it_works(project: Project, command: str) -> None:
    project.ok(*COMMANDS[command])


def test_the_stages_can_be_run_one_by_one(project: Project) -> None:
    tag = "dev_eu-central-1/research/1.0"
    for stage in ("lint", "scan", "plan", "apply", "verify"):
        assert f"`{stage}`" in README or f"orchestrate {stage}`" in README
        project.ok(stage, "--tag", tag)


def test_every_test_that_the_documents_name_is_there() -> None:
    top = Path(__file__).parents[2]
    texts = [path.read_text() for path in (*top.glob("*.md"), *top.glob("docs/*.md"), *top.glob("modules/*/*.md"))]
    named = {name for text in texts for name in re.findall(r"`(tests/[a-z0-9_/.]+\.py)`", text)}
    assert {name for name in named if not (top / name).is_file()} == set()


def test_the_lock_file_of_the_example_is_committed() -> None:
    assert LOCK_FILE.is_file()
