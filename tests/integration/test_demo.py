"""`make demo` does what README.md says: the one test that goes from a git tag to an answering load balancer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo prints, on a machine where it has never run."""
    base = tmp_path_factory.mktemp("demo")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env["ORCHESTRATE_WORKSPACES"] = str(base / "workspaces")
    command = [sys.executable, "-m", "orchestrator.sandbox.demo", str(base / "infrastructure")]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_it_releases_twice_and_shows_each_command(demo: str) -> None:
    for command in (
        "$ orchestrate bootstrap --env dev",
        "$ orchestrate release --tag dev_global/research/1.0",
        "$ orchestrate release --tag dev_us-east-1/research/1.0",
        "$ orchestrate plan --tag dev_us-east-1/research/1.1",
        "$ orchestrate apply --tag dev_us-east-1/research/1.1",
        "$ orchestrate status --env dev",
    ):
        assert command in demo
    assert "dev_us-east-1/research/1.1 (" in demo
    assert "0 to add, 1 to change, 0 to destroy, 0 to replace" in demo
    assert "Hello from version 1.1" in demo


def test_it_ends_with_what_runs_where_the_state_and_the_page(demo: str) -> None:
    end = demo.partition("5. What runs where")[2]
    assert "research/dev-us-east-1/terraform.tfstate" in end
    assert "research/dev-global/terraform.tfstate" in end
    assert "<h1>Hello from version 1.1</h1>" in end
    assert "Region: us-east-1" in end


def test_it_leaves_no_sandbox_behind(demo: str) -> None:
    assert "The sandbox has stopped." in demo


def test_the_readme_shows_its_real_output(demo: str) -> None:
    """The commands and changes of README.md's excerpt stand in the output, to the letter."""
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    excerpt = readme.partition("```text\n")[2].partition("```")[0]
    fixed = [line for line in excerpt.splitlines() if line.startswith(("$ orchestrate", "~ "))]
    assert len(fixed) >= 6
    shown = demo.splitlines()
    for line in fixed:
        assert line in shown, line
