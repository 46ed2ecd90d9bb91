"""The READMEs of the modules and the page of skipped checks: up to date, and their examples work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.modules.examples import NAMES
from tests.support.modules.runs import RunsOutcome

REPOSITORY = Path(__file__).parents[2]
GENERATOR = "tests/support/modules/tables.py"
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)")


def _generate(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / GENERATOR), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the generator reads and writes, to spoil: one module of many, so that it is done soon."""
    for folder in ("modules/network", "envs"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".terraform"))
    (tmp_path / GENERATOR).parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / GENERATOR, tmp_path / GENERATOR)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/checks-skipped.md").touch()
    assert _generate(tmp_path).stdout == "written: docs/checks-skipped.md\n"
    return tmp_path


@pytest.mark.slow
def test_generated_tables_are_up_to_date() -> None:
    """Where this fails: `python tests/support/modules/tables.py` writes them."""
    done = _generate(REPOSITORY, "--check")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_changed_variable_makes_its_readme_out_of_date_until_it_is_written(copy: Path) -> None:
    variables = copy / "modules/network/variables.tf"
    variables.write_text(variables.read_text().replace("Name of the network;", "What the network is called;"))
    checked = _generate(copy, "--check")
    assert (checked.returncode, checked.stdout) == (1, "out of date: modules/network/README.md\n")
    assert _generate(copy).stdout == "written: modules/network/README.md\n"
    assert _generate(copy, "--check").returncode == 0


def test_new_skip_makes_the_page_of_skips_out_of_date(copy: Path) -> None:
    main = copy / "modules/network/main.tf"
    main.write_text(main.read_text().replace('"this" {\n', '"this" {\n  #checkov:skip=CKV_AWS_1: because\n', 1))
    assert _generate(copy, "--check").stdout == "out of date: docs/checks-skipped.md\n"


@pytest.mark.parametrize(
    "comment",
    [
        "#checkov:skip=CKV_AWS_1",
        "#bridgecrew:skip=CKV_AWS_1: because",
        "# tflint-ignore: terraform_unused_declarations",
    ],
)
def test_skip_without_a_reason_or_of_another_kind_is_an_error(copy: Path, comment: str) -> None:
    main = copy / "modules/network/main.tf"
    main.write_text(main.read_text() + f"{comment}\n")
    done = _generate(copy, "--check")
    assert done.returncode == 1
    assert "a skip needs a reason" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_module_has_the_files_that_people_look_for(name: str) -> None:
    files = {path.name for path in (REPOSITORY / "modules" / name).iterdir()}
    assert {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "tests"} <= files


@pytest.mark.parametrize("page", sorted((REPOSITORY / "modules").rglob("README.md")), ids=lambda page: page.parent.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.slow
@pytest.mark.parametrize("file", ["examples", "example-of-workload"])
def test_examples_work(own_tests: RunsOutcome, file: str) -> None:
    assert [(run.status, run.said) for run in own_tests.of(file).values()] == [("pass", [])]
