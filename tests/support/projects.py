"""Repositories made on the spot, released by the real command against one emulated AWS for each test process."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.effects.tools.find import find
from tests.support.accounts import TOOLING
from tests.support.command import CommandResult, RunningCommand

ROOTS = Path(__file__).parent / "roots"
LOCK_FILE = Path(__file__).parents[2] / "modules" / "workload" / ".terraform.lock.hcl"

PROJECT = """\
state: {{prefix: {prefix}, region: us-east-1}}
tooling: {{account: "000000000000"}}
workload:
  root: {root}
  external_id: acme
"""
DEV = """\
regions: [us-east-1, eu-central-1]
global_resource_deploy_from_region: us-east-1
teams:
  research: {account: "111111111111"}
  risk: {account: "222222222222"}
checks: {required: []}
"""


@dataclass
class E2eProject:
    """A repository with its own name prefix, so that tests share one emulated AWS without meeting."""

    folder: Path
    env: dict[str, str]
    prefix: str
    tags: list[str] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True)
        return done.stdout.decode().strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, files: Mapping[str, str] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str) -> str:
        self.git("tag", "--annotate", "--message", "A release", name)
        return name

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> RunningCommand:
        return RunningCommand(arguments, cwd=self.folder, env={**self.env, **(env or {})})

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> CommandResult:
        with self.start(*arguments, env=env) as process:
            answer = process.answer(timeout=300)
        assert "Traceback" not in answer.err, answer.err
        return answer

    def ok(self, *arguments: str, env: Mapping[str, str] | None = None) -> CommandResult:
        answer = self.run(*arguments, env=env)
        assert answer.code == 0, f"{arguments}: {answer.code}\n{answer.out}\n{answer.err}"
        return answer

    def ok_json(self, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self.ok(*arguments, "--format", "json", env=env).json

    def workspace(self, team: str, scope: str) -> Path:
        base = Path(self.env["ORCHESTRATE_WORKSPACES"])
        return base / f"{self.prefix}-{TOOLING}" / "dev" / team / scope

    def last_plan(self, team: str, scope: str, root: Path) -> bytes:
        """What was planned last, as Terraform shows it; `root` is the root configuration's folder in the commit."""
        workspace = self.workspace(team, scope)
        command = [str(find("terraform", env=self.env).path), "show", "-json", str(workspace / "run/plan.tfplan")]
        env = {**self.env, "TF_DATA_DIR": str(workspace / "data")}
        return subprocess.run(command, cwd=workspace / "source" / root, env=env, check=True, capture_output=True).stdout


NewProject = Callable[..., E2eProject]


@pytest.fixture(scope="session")
def new_project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> NewProject:
    """Makes a repository of a root's folder, with configuration, committed on main; its stores are bootstrapped."""

    def make(prefix: str, source: str, *, root: str = ".", bootstrap: bool = True) -> E2eProject:
        base = tmp_path_factory.mktemp(prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GIT_"))}
        own = {"ORCHESTRATE_WORKSPACES": str(base / "workspaces"), "GIT_CONFIG_GLOBAL": os.devnull}
        project = E2eProject(base / "repo", {**kept, **sandbox.env, **own}, prefix)
        shutil.copytree(ROOTS / source, project.folder)
        if (project.folder / "root").is_dir():
            (project.folder / "root").rename(project.folder / root)
        project.git("init", "--quiet", "--initial-branch", "main")
        project.git("config", "user.name", "Tester")
        project.git("config", "user.email", "tester@example.com")
        settings = {"envs/orchestrate.yaml": PROJECT.format(prefix=prefix, root=root), "envs/dev.yaml": DEV}
        project.commit(settings)
        if bootstrap:
            project.ok("bootstrap", "--env", "dev")
        return project

    return make
