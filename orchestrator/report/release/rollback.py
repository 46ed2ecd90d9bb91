"""A proposed rollback as text and as the fields of its JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.report.plan.fields import view_fields
from orchestrator.report.plan.head import ShownPlan
from orchestrator.stages.policy.preview import Preview
from orchestrator.stages.release.rollback import Proposal


def preview_fields(preview: Preview) -> dict[str, Any]:
    return {**view_fields(preview.plan, preview.changes), "needs_override": list(preview.needs_override)}


def shown_proposal(proposal: Proposal) -> ShownPlan:
    release, rollback = proposal.ctx.release, proposal.rollback
    facts = [
        ("as", f"{release.tag}{' (made before, not released yet)' if proposal.made else ''}"),
        ("account", f"{release.target.account}, Region {release.target.region}"),
        *(("note", note) for note in proposal.notes),
    ]
    if proposal.preview.needs_override:
        command = f"orchestrate approve --tag {release.tag} --override --reason ..."
        facts.append(("override", f"what it destroys or replaces needs: {command}"))
    title = f"Rollback of {rollback.left} to {rollback.to} (commit {release.commit[:12]})"
    return ShownPlan(title, proposal.preview.plan, proposal.preview.changes, tuple(facts))


def proposal_fields(proposal: Proposal) -> dict[str, Any]:
    """The fields of `rollback --format json`; `release` is what `release --format json` answers, if it was released."""
    release = proposal.ctx.release
    return {
        "tag": str(release.tag),
        "commit": release.commit,
        "target": release.target.id,
        "rollback": msgspec.to_builtins(proposal.rollback),
        "notes": list(proposal.notes),
        **preview_fields(proposal.preview),
        "tagged": proposal.made,
        "pushed": False,
        "release": None,
    }
