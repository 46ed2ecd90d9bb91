"""tflint and checkov find nothing in the modules, with no skip but the inline ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.effects.tools.install import ensure

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
TFLINT = 'plugin "terraform" {\n  enabled = true\n  preset  = "recommended"\n}\n'


def _tool(name: str) -> str:
    return str(ensure(name, env=os.environ, progress=lambda _: None).path)


@pytest.fixture
def copy(modules: Callable[[Path | None], Path]) -> Path:
    """The modules, and the configuration that the tooling reads: no settings of the tools can hide a finding."""
    modules_alone = modules(None)
    shutil.copytree(REPOSITORY / "envs", modules_alone.parent / "envs")
    return modules_alone


def test_tflint_finds_nothing(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "tflint.hcl").write_text(TFLINT)
    command = [_tool("tflint"), "--recursive", "--format=json", f"--config={tmp_path / 'tflint.hcl'}"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert (found["issues"], found["errors"], done.returncode) == ([], [], 0)


def test_checkov_finds_nothing(copy: Path) -> None:
    """A module with `for_each` is looked at once: its instances differ in names, and take a third of the time."""
    command = [_tool("checkov"), "--directory", ".", "--framework", "terraform", "--output", "json", "--compact"]
    env = {**os.environ, "CHECKOV_ENABLE_MODULES_FOREACH_HANDLING": "False"}
    command.append("--skip-download")
    done = subprocess.run(
        command, cwd=copy, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    found = json.loads(done.stdout)
    failed = [(check["check_id"], check["resource"]) for check in found["results"]["failed_checks"]]
    assert (failed, found["results"]["parsing_errors"], done.returncode) == ([], [], 0)
    assert found["summary"]["passed"] >= 90


@pytest.mark.parametrize(
    ("tree", "name"), [("modules", "modules/workload"), ("modules/deploy-roles", "modules/deploy-roles")]
)
def test_root_is_valid_without_the_rest_of_the_repository(
    tree: str, name: str, tmp_path: Path, terraform: str, terraform_env: dict[str, str]
) -> None:
    """A release exports what it needs; Terraform reads a root's tests too, so they may not point elsewhere."""
    shutil.copytree(REPOSITORY / tree, tmp_path / tree, ignore=shutil.ignore_patterns(".terraform"))
    for command in (["init", "-backend=false", "-input=false", "-lockfile=readonly"], ["validate", "-no-color"]):
        done = subprocess.run(
            [terraform, *command], cwd=tmp_path / name, env=terraform_env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
