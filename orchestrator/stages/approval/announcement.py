"""Tells people that somebody acts alone: when the glass is broken, and when the plan is applied for it."""

from __future__ import annotations

from orchestrator.effects.aws.notices import publish
from orchestrator.errors import OrchestrateError
from orchestrator.model.approval.approval import Tally
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.context.context import ReleaseContext


def announce(ctx: ReleaseContext, receipt: PlanReceipt, what: str, reason: str) -> str:
    """Tells the topic's subscribers; returns what became of it. Nobody's silence stops an emergency."""
    glass = ctx.release.rules.environments[ctx.release.tag.env].approval.break_glass
    if glass is None:
        return "nobody: approval.break_glass is no longer in the rules"
    place = receipt.place
    text = "\n".join(
        [
            f"{what} {receipt.tag}.",
            f"Reason: {reason}",
            f"Plan {receipt.digest} of commit {receipt.commit}: {receipt.summary}",
            f"Account {place.account}, Region {place.region}",
            f"Protected, and destroyed or replaced: {', '.join(receipt.protected) or 'nothing'}",
            f"`orchestrate approve --tag {receipt.tag} --reject` stops it as long as it has not begun; afterwards",
            f"`orchestrate follow-up --tag {receipt.tag} --note ...` is due.",
        ]
    )
    try:
        return f"{glass.notify}, message {publish(ctx.aws, glass.notify, f'BREAK-GLASS {receipt.tag}', text)}"
    except OrchestrateError as error:
        ctx.progress(f"BREAK-GLASS: NOBODY COULD BE TOLD: {error.message}. Call them.")
        return f"nobody: {ctx.masker(error.message)[:500]}"


def announce_apply(ctx: ReleaseContext, receipt: PlanReceipt, found: Tally) -> dict[str, dict[str, str]]:
    """Says that a plan is applied because somebody broke the glass; returns what the ledger holds of it."""
    broken = found.broken
    if broken is None:
        return {}
    ctx.progress(f"BREAK-GLASS: {receipt.tag} is applied because {broken.by} acts alone: {broken.said}")
    notified = announce(ctx, receipt, f"{broken.by} has broken the glass; now is applied", broken.reason)
    return {"break_glass": {"by": broken.by, "at": broken.at, "reason": broken.reason, "notified": notified}}
