"""An adoption as text and as the fields of its JSON."""

from __future__ import annotations

from typing import Any

from orchestrator.report.plan.head import ShownPlan
from orchestrator.report.plan.text import TextStyle, plan_text
from orchestrator.report.release.rollback import preview_fields
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.stores.adopt import AdoptableState, Adopted


def candidate_text(ctx: ReleaseContext, candidate: AdoptableState) -> str:
    state, backend, preview = candidate.state, ctx.release.target.backend, candidate.preview
    lines = [
        f"State {candidate.source}: {state.resources} resources, written by {state.terraform_version}",
        f"  lineage {state.lineage}, serial {state.serial}",
        f"  goes to s3://{backend.bucket}/{backend.key}",
    ]
    if preview is None:
        return "\n".join([*lines, "  where it is already"])
    losing = preview.plan.summary.destroy + preview.plan.summary.replace + preview.plan.summary.add
    if losing:
        lines.append(
            "  Warning: it would create, destroy or replace resources. Is it the state of this target, account and "
            "Region, and does the commit go with it? Adopting changes none of them; a release would."
        )
    title = f"A release of commit {ctx.release.commit[:12]} would then change"
    shown = ShownPlan(title, preview.plan, preview.changes, ())
    return "\n".join([plan_text(shown, TextStyle(full=True)), *lines])


def candidate_fields(ctx: ReleaseContext, candidate: AdoptableState) -> dict[str, Any]:
    """The fields of `adopt --format json`; those of the plan are null where the state is in its place already."""
    state, backend = candidate.state, ctx.release.target.backend
    planned = dict.fromkeys(("summary", "changes", "resources", "needs_override"))
    return {
        "target": ctx.release.target.id,
        "commit": ctx.release.commit,
        "source": str(candidate.source),
        "state": f"s3://{backend.bucket}/{backend.key}",
        "lineage": state.lineage,
        "serial": state.serial,
        "sha256": state.sha256,
        "resources_in_state": state.resources,
        **(planned if candidate.preview is None else preview_fields(candidate.preview)),
        "result": "previewed",
    }


def adopted_text(ctx: ReleaseContext, candidate: AdoptableState, adopted: Adopted) -> str:
    target = ctx.release.target
    tag = f"orchestrate tag --env {target.env} --team {target.team} --scope {target.scope} --version 1.0"
    return "\n".join(
        [
            f"{target.id}: {adopted.result} at {adopted.entry.at}, from {candidate.source}",
            "The source is as it was. Let nobody run Terraform on it any more: two states of the same resources undo "
            "each other's changes. Keep it until a release has been applied here, then put it away.",
            f"Next: {tag}",
        ]
    )
