"""The tooling as `orchestrate tooling apply` makes it: in two Regions, on an emulated AWS of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrate_sandbox.layout import RoleSpec, SandboxLayout
from orchestrate_sandbox.process import Sandbox
from tests.support.command import CommandResult, run

TOOLING, RESEARCH, RISK, PRODUCTION = "000000000000", "111111111111", "222222222222", "333333333333"
ROLES = tuple(RoleSpec(account, "Other", "read") for account in (RESEARCH, RISK, PRODUCTION))
LAYOUT = SandboxLayout(TOOLING, "us-east-1", ROLES)  # without the deployment roles
FILES = {
    "orchestrate": """\
state: {prefix: acme-tf, region: us-east-1, layout: regional}
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


@dataclass(frozen=True)
class AppliedTooling:
    """A repository's configuration, applied; `results` is what the apply answered of each Region."""

    folder: Path
    env: dict[str, str]
    sandbox: Sandbox
    results: tuple[dict[str, Any], ...] = ()

    def run(self, *arguments: str) -> CommandResult:
        done = run(arguments, cwd=self.folder, env=self.env)
        assert "Traceback" not in done.err, done.err
        return done

    def ok(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--format", "json")
        assert done.code == 0, done.err
        return done.json


def applied(base: Path, sandbox: Sandbox, env: Mapping[str, str]) -> AppliedTooling:
    """Takes two minutes, most of which AWS is waited for."""
    folder = base / "repo"
    (folder / "envs").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / f"envs/{name}.yaml").write_text(text)
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(folder)], check=True)
    project = AppliedTooling(folder, {**env, "ORCHESTRATE_WORKSPACES": str(base / "workspaces")}, sandbox)
    project.ok("bootstrap")
    return AppliedTooling(folder, project.env, sandbox, tuple(project.ok("tooling", "apply")["tooling"]))
