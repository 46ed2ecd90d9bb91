"""The tooling as `orchestrate tooling apply` makes it, on one emulated AWS for all tests of this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.sandbox.environment import within
from orchestrator.sandbox.layout import RoleSpec, SandboxLayout
from orchestrator.sandbox.process import Sandbox, start

ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
TOOLING, RESEARCH, RISK, PRODUCTION = "000000000000", "111111111111", "222222222222", "333333333333"

CENTRAL = {
    "orchestrate": """\
state: {prefix: acme-tf, region: us-east-1}
tooling: {account: "000000000000", notify: [people@example.com]}
workload: {external_id: acme}
""",
    "dev": """\
regions: [us-east-1, eu-central-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "111111111111"}, risk: {account: "222222222222"}}
""",
    "prod": """\
regions: [us-east-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "333333333333"}}
approval:
  required: true
  break_glass: {by: [OnCall], notify: "arn:aws:sns:eu-west-1:000000000000:security"}
apply_from: pipeline
""",
}
REGIONAL = {
    "orchestrate": """\
state: {prefix: acme-tf, region: us-east-1, layout: regional, encryption: s3}
tooling: {account: "000000000000"}
""",
    "dev": """\
regions: [us-east-1, eu-central-1]
global_resource_deploy_from_region: us-east-1
teams: {research: {account: "111111111111"}}
""",
}


@dataclass(frozen=True)
class Project:
    """A repository's configuration, applied in an emulated AWS of its own."""

    folder: Path
    env: dict[str, str]
    sandbox: Sandbox

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ORCHESTRATE), *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def ok(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Mapping[str, str]], Project]]:
    """Starts an emulated AWS without the deployment roles and bootstraps a project in it."""
    import contextlib

    with contextlib.ExitStack() as stack:

        def make(files: Mapping[str, str]) -> Project:
            base = tmp_path_factory.mktemp("tooling")
            (base / "repo/envs").mkdir(parents=True)
            for name, text in files.items():
                (base / f"repo/envs/{name}.yaml").write_text(text)
            subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(base / "repo")], check=True)
            roles = tuple(RoleSpec(account, "Other", "read") for account in (RESEARCH, RISK, PRODUCTION))
            sandbox = stack.enter_context(start(SandboxLayout(TOOLING, "us-east-1", roles)))
            env = within(os.environ, sandbox.env) | {"ORCHESTRATE_WORKSPACES": str(base / "workspaces")}
            project = Project(base / "repo", env, sandbox)
            project.ok("bootstrap")
            return project

        yield make


@pytest.fixture(scope="session")
def central(new_project: Callable[[Mapping[str, str]], Project]) -> Project:
    """Layout central with two environments, applied."""
    project = new_project(CENTRAL)
    (applied,) = project.ok("tooling", "apply")["tooling"]
    assert applied["result"] == "applied"
    return project


@pytest.fixture(scope="session")
def regional() -> Mapping[str, str]:
    """A configuration with layout regional."""
    return REGIONAL
