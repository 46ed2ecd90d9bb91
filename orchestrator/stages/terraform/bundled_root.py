"""Plans and applies a root configuration that ships with orchestrate, in a workspace as a release has.

Its modules are copied from the package, never taken from the repository: what judges releases is what was installed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from orchestrator import bundled
from orchestrator.effects.aws.session import Session
from orchestrator.effects.system import outlet
from orchestrator.effects.terraform.terraform import VARIABLES_FILE
from orchestrator.effects.terraform.workspace import opened, workspaces
from orchestrator.model.plan_view.view import PlanView, view_of
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.rules import Rules
from orchestrator.model.terraform.root import Json
from orchestrator.model.text.canonical import canonical_json
from orchestrator.model.text.masking import Masker
from orchestrator.model.text.progress import Progress
from orchestrator.stages.terraform import prepare
from orchestrator.stages.terraform.prepare import TerraformRoot

_LEFT_OUT = shutil.ignore_patterns("tests", "README.md", ".terraform", "*.tfstate*", "*.tfvars*")


@dataclass(frozen=True)
class CommandContext:
    """What a command that concerns no release works with."""

    rules: Rules
    env: Mapping[str, str]
    progress: Progress

    @cached_property
    def aws(self) -> Session:
        return Session(self.rules.project.state.region)

    @property
    def masker(self) -> Masker:
        return outlet.masker()

    def identify(self) -> str:
        """Who we are in the tooling account; raises where these are not its credentials."""
        return self.aws.require_account(self.rules.project.tooling.account).arn


@dataclass(frozen=True)
class OwnRoot:
    """`name` is its workspace's; `role` is empty where the caller's own credentials do; `files` go beside its own."""

    name: str
    module: str
    backend: Backend
    region: str
    role: str
    variables: Mapping[str, Any]
    files: Mapping[str, Json] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    """More folders that it reads, by their path beside `modules`."""


@dataclass(frozen=True)
class Done:
    """`outputs` only after an apply, and never with sensitive values."""

    plan: PlanView
    changes: bool
    applied: bool
    outputs: Mapping[str, Any] = field(default_factory=dict)


def run(ctx: CommandContext, root: OwnRoot, *, apply: bool) -> Done:
    """Plans it and, where `apply` and there is something to do, applies that very plan."""
    project = ctx.rules.project
    own = Path(f"{project.state.prefix}-{project.tooling.account}", root.name)
    with opened(workspaces(ctx.env) / own, depth=len(own.parts)) as workspace:
        workspace.clear_source()
        folder = _lay_out(workspace.source, root)
        terraform = prepare.program(ctx, TerraformRoot(workspace, folder, root.backend, root.region), project.terraform)
        prepare.write(folder, root.files)
        variables = workspace.run / VARIABLES_FILE
        variables.write_bytes(canonical_json(dict(root.variables)))
        terraform.init()
        outcome = terraform.plan(root.role, [variables])
        plan = view_of(terraform.plan_json(), outcome.warnings)
        if not (apply and outcome.changes):
            return Done(plan, outcome.changes, applied=False)
        outputs = terraform.apply(root.role)
    kept = {name: output["value"] for name, output in outputs.items() if not output.get("sensitive")}
    return Done(plan, outcome.changes, applied=True, outputs=kept)


def _lay_out(source: Path, root: OwnRoot) -> Path:
    """As the files lie in orchestrate's own repository, so that modules find each other."""
    folders = {name: bundled.FOLDER / name for name in ("modules", "buildspecs")}
    for name, folder in {**folders, **root.folders}.items():
        shutil.copytree(folder, source / name, ignore=_LEFT_OUT)
    return source / "modules" / root.module
