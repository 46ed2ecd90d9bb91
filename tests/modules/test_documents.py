"""The READMEs of the modules and the page of skipped checks: up to date, and their examples work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
GENERATOR = "tests/modules/module_tables.py"
TOOLING = {"release-pipeline", "source", "tooling"}  # tested with the pipeline
NAMES = sorted({path.parent.name for path in (REPOSITORY / "modules").glob("*/main.tf")} - TOOLING)
_EXAMPLE = re.compile(r"^## Example\n.*?^```hcl\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(
    r'"git::https://git\.example\.com/acme/infrastructure\.git//(modules/[a-z-]+)\?ref=modules/[0-9.]+"'
)
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)")
MOCKED = """
mock_provider "aws" {
  source = "../tests/modules/mocks"
}

run "examples" {
  command = plan
}
"""


def _generate(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / GENERATOR), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the generator reads and writes, to spoil."""
    for folder in ("modules", "tests/modules", "envs"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".terraform"))
    (tmp_path / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs/checks-skipped.md", tmp_path / "docs")
    return tmp_path


def test_generated_tables_are_up_to_date() -> None:
    """Where this fails: `python tests/modules/module_tables.py` writes them."""
    done = _generate(REPOSITORY, "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_changed_variable_makes_its_readme_out_of_date_until_it_is_written(copy: Path) -> None:
    variables = copy / "modules/network/variables.tf"
    variables.write_text(variables.read_text().replace("Name of the network;", "What the network is called;"))
    assert _generate(copy, "--check").returncode == 1
    assert "out of date: modules/network/README.md" in _generate(copy, "--check").stdout
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


def _example(name: str) -> str:
    found = _EXAMPLE.search((REPOSITORY / "modules" / name / "README.md").read_text())
    assert found, f"modules/{name}/README.md has no example"
    return found[1]


@pytest.mark.slow
def test_examples_work(modules: Callable[[Path | None], Path], terraform: str, terraform_env: dict[str, str]) -> None:
    """All in one root, planned with a mocked provider; the workload's is variables, which another test covers."""
    folder = modules(None).parent / "examples"
    folder.mkdir()
    examples = [_SOURCE.sub(r'"../\1"', _example(name)) for name in NAMES if name != "workload"]
    (folder / "main.tf").write_text("\n".join(examples))
    shutil.copy(folder.parent / "modules/network/versions.tf", folder)  # names the provider that is to be mocked
    (folder / "examples.tftest.hcl").write_text(MOCKED)
    for command in (["init", "-backend=false", "-input=false"], ["test", "-no-color"]):
        done = subprocess.run(
            [terraform, *command], cwd=folder, env=terraform_env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Success! 1 passed, 0 failed." in done.stdout


@pytest.mark.slow
def test_example_of_the_workload_is_accepted(
    modules: Callable[[Path | None], Path], terraform: str, terraform_env: dict[str, str]
) -> None:
    folder = modules(None) / "workload"
    (folder / "example.auto.tfvars").write_text(_example("workload"))
    (folder / "tests").rename(folder / "others")
    tests = (folder / "others/workload.tftest.hcl").read_text()
    (folder / "tests").mkdir()
    (folder / "tests/example.tftest.hcl").write_text(tests.partition('run "global_scope"')[0])
    for command in (["init", "-backend=false", "-input=false"], ["test", "-no-color"]):
        done = subprocess.run(
            [terraform, *command], cwd=folder, env=terraform_env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Success! 1 passed, 0 failed." in done.stdout
