"""Acting alone in an emergency: it counts as all approvals and opens closed windows, is told at once, and followed up.

It sets aside nothing else: not the tag's pin, the plan's digest and state, the required checks, promotion, nor (without
an override) the protection of resources.
"""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.model.approval.approval import Principal
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.approval.announcement import announce
from orchestrator.stages.approval.approvals import check_rejected, judge_of, missing_approvals, tally
from orchestrator.stages.approval.approve import Answered, ApprovalReply, answer_of, check_open, check_override
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.receipts import check_same_release
from orchestrator.stages.record.refusals import recorded


@recorded("approve")
def break_glass(ctx: ReleaseContext, receipt: PlanReceipt, reason: str, override: bool) -> Answered:
    """Records that the caller acts alone on exactly this plan, after telling the subscribers of the topic.

    Told first: an alarm too many does no harm, a glass that is broken in silence does. With `override` the caller
    also sets aside the protection of what the plan destroys. Raises Refused where the rules do not let them.
    """
    check_open(ctx.ledger.history(ctx.release.target.id), receipt)
    caller = ctx.caller()
    objection = judge_of(ctx, receipt).glass_objection(Principal(caller.arn, caller.user_id), reason)
    if objection is not None:
        raise Refused(objection, hint="Who may, and for what: docs/break-glass.md.")
    if override:
        check_override(receipt, reason)
    check_same_release(ctx, receipt)
    check_rejected(receipt, tally(ctx, receipt))
    what = "breaks the glass and overrides the protection of resources" if override else "breaks the glass"
    notified = announce(ctx, receipt, f"{caller.arn} {what} for", reason)
    given = answer_of(receipt, ApprovalReply("break-glass", reason), caller, notified)
    answers = (given, answer_of(receipt, ApprovalReply("overridden", reason), caller)) if override else (given,)
    for answer in answers:
        if not ctx.answers.give(answer):
            ctx.progress(f"You have said {answer.kind} to this plan before; that stands.")
    return Answered(given, missing_approvals(ctx, receipt, tally(ctx, receipt, *answers)))
