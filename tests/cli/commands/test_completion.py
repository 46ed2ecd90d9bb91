"""`orchestrate completion`, as bash asks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git_project import RULES, GitProject

ORCHESTRATE = Path(sys.executable).with_name("orchestrate")


@pytest.fixture
def project(git_project: GitProject) -> GitProject:
    prod = RULES["envs/dev.yaml"].replace("111111111111", "333333333333").replace("222222222222", "444444444444")
    git_project.write(RULES | {"envs/prod.yaml": prod})
    for version in ("1.9", "1.10", "1.0-rc.1"):
        git_project.git("tag", "-m", "x", f"dev_us-east-1/research/{version}")
    git_project.git("tag", "-m", "x", "v1")
    return git_project


def offered(project: GitProject, *words: str) -> list[str]:
    """What is offered for the last word."""
    env = os.environ | {
        "_ORCHESTRATE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("orchestrate", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run([ORCHESTRATE], cwd=project.folder, env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sta",), ["status"]),
        (("plan", "--rules"), ["--rules-ref"]),
        (("status", "--env", ""), ["dev", "prod"]),
        (("status", "--env", "p"), ["prod"]),
        (("status", "--env", "dev", "--team", ""), ["research", "risk"]),
        (("status", "--env", "dev", "--team", "research", "--scope", "g"), ["global"]),
        (("tag", "--env", "dev", "--team", "research", "--scope", "us"), ["us-east-1"]),
        (
            ("plan", "--tag", "dev"),
            [f"dev_us-east-1/research/{version}" for version in ("1.10", "1.9", "1.0-rc.1")],
        ),
        (("promote", "--env", "prod", "--version", ""), ["1.10", "1.9", "1.0-rc.1"]),
        (("targets", "--format", ""), ["text", "json"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_is_offered(project: GitProject, words: tuple[str, ...], expected: list[str]) -> None:
    assert offered(project, *words) == expected


def test_broken_rules_offer_nothing_and_say_nothing(project: GitProject) -> None:
    (project.folder / "envs/dev.yaml").write_text("nonsense: [")
    assert offered(project, "status", "--team", "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(shell: str) -> None:
    done = subprocess.run([ORCHESTRATE, "completion", shell], capture_output=True, text=True, check=True)
    assert "_ORCHESTRATE_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
