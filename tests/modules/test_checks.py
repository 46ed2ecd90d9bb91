"""tflint and checkov find nothing in the modules, with no skip but the inline ones."""

from __future__ import annotations

import json
import os
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
    """The modules alone: no configuration of the repository can hide a finding."""
    return modules(None)


def test_tflint_finds_nothing(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "tflint.hcl").write_text(TFLINT)
    command = [_tool("tflint"), "--recursive", "--format=json", f"--config={tmp_path / 'tflint.hcl'}"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert (found["issues"], found["errors"], done.returncode) == ([], [], 0)


def test_checkov_finds_nothing(copy: Path) -> None:
    command = [_tool("checkov"), "--directory", ".", "--framework", "terraform", "--output", "json", "--compact"]
    done = subprocess.run(
        [*command, "--skip-download"], cwd=copy, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    found = json.loads(done.stdout)
    failed = [(check["check_id"], check["resource"]) for check in found["results"]["failed_checks"]]
    assert (failed, found["results"]["parsing_errors"], done.returncode) == ([], [], 0)
    assert found["summary"]["passed"] >= 90
    skipped = {(check["check_id"]) for check in found["results"]["skipped_checks"]}
    page = (REPOSITORY / "docs/checks-skipped.md").read_text()
    assert all(f"`{check}`" in page for check in skipped)


def test_every_file_is_formatted(copy: Path, terraform: str) -> None:
    done = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", "."], cwd=copy, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
