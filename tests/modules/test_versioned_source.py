"""A team pins the version of a composition, with the blocks that it is made of: a git source with a ref."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
ROOT = """
provider "aws" {{
  region = "us-east-1"
}}

module "stays" {{
  source = "git::file://{repository}//modules/global?ref=modules/1.0.0"

  name    = "dev-research"
  account = "000000000000"
}}

module "follows" {{
  source = "git::file://{repository}//modules/global?ref=modules/2.0.0"

  name    = "dev-risk"
  account = "000000000000"
}}
"""
ROLE = 'module.{name}.module.flow_logs_role["plain"].aws_iam_role.this'


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


def test_root_gets_the_versions_that_it_pins(published: Path, tmp_path: Path, root: Callable[..., Any]) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team/main.tf").write_text(ROOT.format(repository=published))
    planned = {
        change["address"]: change["change"] for change in root("team", copy=tmp_path).plan({})["resource_changes"]
    }
    trusts = {name: planned[ROLE.format(name=name)]["after"]["assume_role_policy"] for name in ("stays", "follows")}
    assert {name: json.loads(trust)["Statement"][0]["Principal"]["Service"] for name, trust in trusts.items()} == {
        "stays": ["vpc-flow-logs.amazonaws.com"],
        "follows": ["delivery.logs.amazonaws.com"],
    }
