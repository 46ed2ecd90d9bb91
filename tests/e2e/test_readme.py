"""Every `orchestrate` command that README.md names is run, here or by a test that is named here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.projects import LOCK_FILE, E2eProject, NewProject

pytestmark = pytest.mark.slow

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text()
TAG = "dev_us-east-1/research/1.0"

# What README.md names, and how it is run here.
COMMANDS = {
    "orchestrate targets": ("targets",),
    f"orchestrate gates --tag {TAG}": ("gates", "--tag", TAG),
    "orchestrate history --verify": ("history", "--verify"),
    "orchestrate history --export evidence.tar": ("history", "--export", "evidence.tar"),
    f"orchestrate recover --tag {TAG}": ("recover", "--tag", TAG),
    "orchestrate schema environment": ("schema", "environment"),
    "orchestrate doctor": ("doctor", "--env", "dev"),
    "orchestrate bootstrap": ("bootstrap", "--env", "dev", "--check"),
    "orchestrate tools install": ("tools", "install"),
    "orchestrate completion --help": ("completion", "--help"),
    "orchestrate sandbox run -- CMD": ("sandbox", "run", "--", "true"),
}
# `make demo` runs these, and tests/e2e/test_demos.py says how.
IN_THE_DEMO = {
    f"orchestrate show --tag {TAG}",
    "orchestrate bootstrap --env dev",
    f"orchestrate release --tag {TAG}",
    "orchestrate lint",
    "orchestrate status",
    "orchestrate history",
}
STAGES = ("lint", "scan", "plan", "apply", "verify")
MADE_BEFORE = {
    "orchestrate tag --env dev --team research --version 1.0 --all-scopes --push",
    "orchestrate tag ... && orchestrate release --tag ...",
    "orchestrate",
}
# Those with an AWS account's worth of resources, or with all checks, have tests of their own.
ELSEWHERE = {
    "orchestrate check": "tests/cli/commands/test_check.py",
    "orchestrate tooling apply": "tests/support/tooling_project.py",
    "orchestrate accounts --apply": "tests/cli/commands/test_accounts.py",
    "orchestrate adopt ... --check": "tests/e2e/test_adopt.py",
}


def named() -> set[str]:
    text = README.replace(README.partition("```text\n")[2].partition("```")[0], "")
    return {re.sub(r"\s+", " ", command) for command in re.findall(r"`(orchestrate(?: [^`]*)?)`", text)}


@pytest.fixture(scope="module")
def project(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> E2eProject:
    made = new_project("readme", "slow", bootstrap=False)
    remote = tmp_path_factory.mktemp("remote")
    made.git("init", "--quiet", "--bare", "--initial-branch", "main", str(remote))
    made.git("remote", "add", "origin", str(remote))
    made.git("push", "--quiet", "origin", "main")
    made.ok("bootstrap")
    made.ok("tag", "--env", "dev", "--team", "research", "--version", "1.0", "--all-scopes", "--push")
    assert made.git("ls-remote", "--tags", "origin", f"refs/tags/{TAG}")
    assert made.run("apply", "--tag", TAG).code == 4, "so that there is something in the record: nothing is planned yet"
    return made


def test_no_command_is_named_that_is_not_run() -> None:
    assert named() - MADE_BEFORE - set(ELSEWHERE) - IN_THE_DEMO == set(COMMANDS)


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_not_run_here_is_run_by_a_test_of_its_own(command: str) -> None:
    text = (TOP / ELSEWHERE[command]).read_text()
    for word in re.sub(r" \.\.\.", "", command).split()[1:]:
        assert f'"{word}"' in text


def test_what_the_demo_runs_is_looked_up_in_what_it_shows() -> None:
    text = (TOP / "tests/e2e/test_demos.py").read_text()
    for command in IN_THE_DEMO:
        assert f'"$ {command}' in text, command
    for stage in STAGES:
        assert f"`{stage}`" in README or f"orchestrate {stage}`" in README
        assert f'"$ orchestrate {stage} --tag ' in text


@pytest.mark.parametrize("command", COMMANDS)
def test_it_works(project: E2eProject, command: str) -> None:
    project.ok(*COMMANDS[command])


def test_every_test_that_the_documents_name_is_there() -> None:
    texts = [path.read_text() for path in (*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *TOP.glob("modules/*/*.md"))]
    named = {name for text in texts for name in re.findall(r"`(tests/[a-z0-9_/.]+\.py)`", text)}
    assert {name for name in named if not (TOP / name).is_file()} == set()


def test_the_lock_file_of_the_example_is_committed() -> None:
    assert LOCK_FILE.is_file()
