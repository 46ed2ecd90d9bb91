"""What a commit would do to a target: a real plan that is shown and then forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.effects.terraform.terraform import PLAN_FILE, PlanOutcome, Terraform
from orchestrator.effects.terraform.workspace import Workspace, opened, place_of
from orchestrator.model.plan_view.view import PlanView, view_of
from orchestrator.model.terraform.root import OVERRIDE_FILE
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.policy.refused import telling
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.terraform import prepare
from orchestrator.stages.terraform.credentials import narrowed

_COPY = "preview.tfstate"


@dataclass(frozen=True)
class Preview:
    """`needs_override` are the addresses whose loss somebody would have to override."""

    plan: PlanView
    changes: bool
    needs_override: tuple[str, ...]


def preview(ctx: ReleaseContext, admission: Admission, state: bytes | None = None) -> Preview:
    """Plans under the read-only role; nothing is stored or recorded.

    Against the target's state, or a copy of `state` where that is given. Raises what `plan` raises, and StageFailed
    where the plan policy refuses the plan for good.
    """
    with opened(place_of(ctx.release.rules.project, ctx.release.target, ctx.env)) as workspace:
        copy = workspace.run / _COPY
        try:
            outcome, content = _planned(ctx, workspace, None if state is None else _written(copy, state))
        finally:
            for path in (copy, workspace.run / PLAN_FILE):
                path.unlink(missing_ok=True)
    view = view_of(content, outcome.warnings)
    with telling(ctx, view):
        needs_override = _needs_override(ctx, content, admission) if outcome.changes else ()
    return Preview(view, outcome.changes, needs_override)


def _planned(ctx: ReleaseContext, workspace: Workspace, copy: Path | None) -> tuple[PlanOutcome, bytes]:
    root = prepare.export(ctx, workspace)
    with narrowed(ctx, _terraform(ctx, workspace, root, copy)) as terraform:
        terraform.init()
        prepared = prepare.complete(ctx, terraform, prepare.read(ctx, root))
        _keep_state_in(root, copy)
        outcome = prepared.terraform.plan(ctx.release.target.roles.plan, list(prepared.var_files))
        content = prepared.terraform.plan_json()
        prepared.check_credentials(content, ctx.release.rules.project.workload.unmanaged_providers)
    return outcome, content


def _terraform(ctx: ReleaseContext, workspace: Workspace, root: Path, copy: Path | None) -> Terraform:
    if copy is None:
        return prepare.terraform(ctx, workspace, root, _never)
    target = ctx.release.target
    tf_root = prepare.TerraformRoot(workspace, root, target.backend, target.region)
    made = prepare.program(ctx, tf_root, ctx.release.rules.project.terraform)
    _keep_state_in(root, copy)
    return replace(made, backend={"local": {"path": str(copy)}})


def _never() -> bool:
    return False


def _written(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _keep_state_in(root: Path, copy: Path | None) -> None:
    """Changes the backend of the override file that has just been written."""
    if copy is None:
        return
    override = json.loads((root / OVERRIDE_FILE).read_bytes())
    override["terraform"]["backend"] = {"local": {"path": str(copy)}}
    prepare.write(root, {OVERRIDE_FILE: override})


def _needs_override(ctx: ReleaseContext, content: bytes, admission: Admission) -> tuple[str, ...]:
    from orchestrator.stages.policy.verdict import judge_preview

    return judge_preview(ctx, content, admission).protected
