"""A root whose team pins the version of a composition, with the blocks that it is made of: a git source with a ref."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.modules.cases import Case

REPOSITORY = Path(__file__).parents[3]
CASE = Case("team", {})
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


def _git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, "-C", str(repository), *arguments], check=True, capture_output=True)


def write(modules: Path, repository: Path) -> None:
    """The root into a folder of `modules`; into `repository` two tagged versions that differ in what they answer."""
    (modules / CASE.module).mkdir()
    (modules / CASE.module / "main.tf").write_text(ROOT.format(repository=repository))
    shutil.copytree(REPOSITORY / "modules", repository / "modules", ignore=shutil.ignore_patterns(".terraform"))
    _git(repository, "init", "--quiet")
    for version, service in (("1.0.0", "vpc-flow-logs.amazonaws.com"), ("2.0.0", "delivery.logs.amazonaws.com")):
        outputs = repository / "modules/flow-logs-policy/outputs.tf"
        outputs.write_text(outputs.read_text().replace("vpc-flow-logs.amazonaws.com", service))
        _git(repository, "add", ".")
        _git(repository, "commit", "--quiet", "--message", version)
        _git(repository, "tag", "--annotate", "--message", version, f"modules/{version}")
