"""`terraform test` of the tooling's modules, with a mocked provider; every rule that a variable has is broken there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import hcl2
import pytest

from orchestrator.effects.tools import cli_config
from orchestrator.effects.tools.install import ensure

REPOSITORY = Path(__file__).parents[3]
NAMES = ("release-pipeline", "source", "tooling")
_EXPECTED = re.compile(r"expect_failures = \[([^]]*)\]")
_VARIABLE = re.compile(r"\bvar\.([a-z_]+)")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the modules read, without what Terraform left in them."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("modules", "buildspecs", "tests/modules"):
        shutil.copytree(REPOSITORY / name, tree / name, ignore=shutil.ignore_patterns(".terraform", "*.py*"))
    return tree / "modules"


def _terraform(folder: Path, *arguments: str) -> str:
    program = str(ensure("terraform", env=os.environ, progress=lambda _: None).path)
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("TF_")}, **cli_config(os.environ)}
    done = subprocess.run(
        [program, *arguments, "-no-color"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_module_passes_its_own_tests(name: str, copy: Path) -> None:
    _terraform(copy / name, "init", "-backend=false", "-input=false")
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", _terraform(copy / name, "test"), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_run_that_breaks_it_and_every_variable_a_description(name: str) -> None:
    blocks = hcl2.loads((REPOSITORY / "modules" / name / "variables.tf").read_text())["variable"]
    variables = {variable.strip('"'): body for block in blocks for variable, body in block.items()}
    text = "".join(file.read_text() for file in (REPOSITORY / "modules" / name / "tests").glob("*.tftest.hcl"))
    broken = Counter(_VARIABLE.findall(" ".join(_EXPECTED.findall(text))))
    for variable, body in variables.items():
        assert body.get("description"), variable
        if variable != "envs":  # fileset() of a folder that is missing ends Terraform before any rule is asked
            assert broken[variable] >= len(body.get("validation", [])), variable


def test_build_specifications_are_short_and_pinned() -> None:
    found = sorted((REPOSITORY / "buildspecs").glob("*.yml"))
    assert [file.stem for file in found] == ["apply", "copy", "lint", "plan", "scan", "submit", "verify"]
    for file in found:
        lines = file.read_text().splitlines()
        assert len(lines) <= 30, file
        assert file.stem == "copy" or any("--require-hashes" in line for line in lines), file
