"""A proposed rollback as text and as the fields of its JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.stages.policy.preview import Preview
from orchestrator.stages.release.rollback import Proposal

_LONGEST_LIST = 60


def preview_lines(preview: Preview) -> list[str]:
    """The changes of a plan that was only looked at."""
    changes = preview.plan.changes
    more = [f"... and {len(changes) - _LONGEST_LIST} more"] if len(changes) > _LONGEST_LIST else []
    return [*(str(change) for change in changes[:_LONGEST_LIST]), *more, *([""] if changes else [])]


def preview_counts(preview: Preview) -> str:
    return str(preview.plan.summary) if preview.changes else "no changes"


def preview_fields(preview: Preview) -> dict[str, Any]:
    return {
        "summary": msgspec.to_builtins(preview.plan.summary),
        "changes": preview.changes,
        "resources": msgspec.to_builtins(preview.plan.changes),
        "needs_override": list(preview.needs_override),
    }


def proposal_text(proposal: Proposal) -> str:
    release, preview = proposal.ctx.release, proposal.preview
    lines = [
        *preview_lines(preview),
        f"Rollback of {proposal.rollback.left} to {proposal.rollback.to} (commit {release.commit[:12]}): "
        f"{preview_counts(preview)}",
        f"  as      {release.tag}{' (made before, not released yet)' if proposal.made else ''}",
        f"  account {release.target.account}, Region {release.target.region}",
    ]
    lines += [f"  note    {note}" for note in proposal.notes]
    if preview.needs_override:
        tag = release.tag
        lines.append(f"  what it destroys or replaces needs: orchestrate approve --tag {tag} --override --reason ...")
    return "\n".join(lines)


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
