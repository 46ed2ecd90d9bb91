"""The examples of the modules' READMEs, as runs of `terraform test` with a mocked provider."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.modules import runs

MODULES = Path(__file__).parents[3] / "modules"
TOOLING = {"release-pipeline", "source", "tooling"}  # made by orchestrate itself, from no example
NAMES = sorted({path.parent.name for path in MODULES.glob("*/main.tf")} - TOOLING)
_EXAMPLE = re.compile(r"^## Example\n.*?^```hcl\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(
    r'"git::https://git\.example\.com/acme/infrastructure\.git//modules/([a-z-]+)\?ref=modules/[0-9.]+"'
)
_MOCKED = """
mock_provider "aws" {
  source = "../../tests/modules/mocks"
}

run "examples" {
  command = plan

  module {
    source = "../examples"
  }
}
"""


def example(name: str) -> str:
    found = _EXAMPLE.search((MODULES / name / "README.md").read_text())
    assert found, f"modules/{name}/README.md has no example"
    return found[1]


def write(modules: Path, tests: Path) -> None:
    """All in one root, which becomes a folder of `modules`; the workload's is variables, so it has a run of its own."""
    root = modules / "examples"
    root.mkdir()
    (root / "main.tf").write_text("\n".join(_SOURCE.sub(r'"../\1"', example(n)) for n in NAMES if n != "workload"))
    shutil.copy(modules / "network/versions.tf", root)  # names the provider that is to be mocked
    (tests / "examples.tftest.hcl").write_text(_MOCKED)
    regional, _, _ = (modules / "workload/tests/workload.tftest.hcl").read_text().partition('run "global_scope"')
    given = f"command = plan\n  variables {{\n{example('workload')}  }}\n"
    assert regional.count("command = plan\n") == 1
    (tests / "example-of-workload.tftest.hcl").write_text(
        runs.of_module("workload", regional).replace("command = plan\n", given)
    )
