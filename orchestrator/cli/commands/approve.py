"""`orchestrate approve`: shows the newest plan of a tag and answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    confirm,
    pass_context,
    review,
    surroundings,
    tag_option,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.model.release.receipt import PlanReceipt
    from orchestrator.stages.approval.approve import Answered
    from orchestrator.stages.context.context import ReleaseContext


@click.command("approve", cls=CommandWithCommonOptions)
@tag_option
@click.option("--reject", is_flag=True, help="Reject the plan: it can no longer be applied.")
@click.option("--override", is_flag=True, help="Set aside the protection of what this plan destroys or replaces.")
@click.option("--break-glass", is_flag=True, help="Act alone in an emergency: loud, recorded, and to be followed up.")
@click.option("--reason", default="", help="Why; recorded with the answer.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def approve(context: Context, /, tag: str, reason: str, **flags: bool) -> None:
    """Show the newest plan of a tag and approve it."""
    from orchestrator.report.plan.head import shown_receipt
    from orchestrator.report.release import stages as report
    from orchestrator.stages.approval.approve import reviewed
    from orchestrator.stages.approval.waiting import answer_waiting

    if flags["reject"] and (flags["override"] or flags["break_glass"]):
        raise UsageError("--reject contradicts --override and --break-glass")
    at = surroundings(context, tag)
    receipt = reviewed(at)
    review(shown_receipt(receipt), paged=not flags["yes"])
    if not flags["yes"]:
        confirm(f"{_question(flags)} this plan?")
    given = _given(at, receipt, reason, flags)
    waits = answer_waiting(at, receipt, approved=not flags["reject"], reason=reason)
    while waits and flags["break_glass"]:
        waits = answer_waiting(at, receipt, approved=True, reason=reason)
    answer(context, report.answer_fields(given), report.answer_text(given))


def _question(flags: Mapping[str, bool]) -> str:
    if flags["reject"]:
        return "Reject"
    verb = "Break the glass for" if flags["break_glass"] else "Approve"
    return f"Override the protection and {verb[0].lower()}{verb[1:]}" if flags["override"] else verb


def _given(ctx: ReleaseContext, receipt: PlanReceipt, reason: str, flags: Mapping[str, bool]) -> Answered:
    from orchestrator.stages.approval.approve import ApprovalReply, approve
    from orchestrator.stages.approval.break_glass import break_glass

    if flags["break_glass"]:
        return break_glass(ctx, receipt, reason, flags["override"])
    if flags["override"]:
        approve(ctx, receipt, ApprovalReply("overridden", reason))
    return approve(ctx, receipt, ApprovalReply("rejected" if flags["reject"] else "approved", reason))
