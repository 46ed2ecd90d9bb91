"""A team pins the version of the modules that its root uses: a git source with a ref."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
ROOT = """
module "policy" {{
  source = "git::file://{repository}//modules/flow-logs-policy?ref=modules/{version}"

  name      = "dev-research"
  account   = "111111111111"
  partition = "aws"
}}

output "trusted_services" {{
  value = module.policy.trusted_services
}}
"""


def _git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, "-C", str(repository), *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two tagged versions of the modules that differ in what they answer."""
    repository = tmp_path_factory.mktemp("published")
    shutil.copytree(REPOSITORY / "modules", repository / "modules")
    _git(repository, "init", "--quiet")
    for version, service in (("1.0.0", "vpc-flow-logs.amazonaws.com"), ("2.0.0", "delivery.logs.amazonaws.com")):
        outputs = repository / "modules/flow-logs-policy/outputs.tf"
        outputs.write_text(outputs.read_text().replace("vpc-flow-logs.amazonaws.com", service))
        _git(repository, "add", ".")
        _git(repository, "commit", "--quiet", "--message", version)
        _git(repository, "tag", "--annotate", "--message", version, f"modules/{version}")
    return repository


@pytest.mark.parametrize(
    ("version", "service"), [("1.0.0", "vpc-flow-logs.amazonaws.com"), ("2.0.0", "delivery.logs.amazonaws.com")]
)
def test_root_gets_the_version_that_it_pins(
    published: Path, tmp_path: Path, root: Callable[..., Any], version: str, service: str
) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team/main.tf").write_text(ROOT.format(repository=published, version=version))
    pinned = root("team", copy=tmp_path)
    pinned.apply({})
    assert pinned.outputs()["trusted_services"] == [service]
