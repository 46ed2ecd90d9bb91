"""Acting alone in an emergency: it counts as all approvals and opens closed windows, is told at once, and followed up.

It sets aside nothing else: not the tag's pin, the plan's digest and state, the required checks, promotion, nor (without
an override) the protection of resources.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.model.approval.approval import Principal
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.approval.announcement import announce
from orchestrator.stages.approval.approve import Answered, ApprovalReply, answer_of, still_missing
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext, Respondent
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.record.refusals import recorded


@recorded("approve")
def break_glass(ctx: ReleaseContext, receipt: PlanReceipt, reason: str, override: bool) -> Answered:
    """Records that the caller acts alone on exactly this plan, after telling the subscribers of the topic.

    Told first: an alarm too many does no harm, a glass that is broken in silence does. With `override` the caller
    also sets aside the protection of what the plan destroys. Raises Refused where the rules do not let them.
    """
    ask(GateContext.of(ctx, "review", history=ctx.chain.read(), receipt=receipt))  # a person has taken their time
    caller = ctx.caller
    who = Respondent(Principal(caller.arn, caller.user_id), reason, override)
    ask(replace(GateContext.of(ctx, "break-glass", receipt=receipt), respondent=who))
    what = "breaks the glass and overrides the protection of resources" if override else "breaks the glass"
    notified = announce(ctx, receipt, f"{caller.arn} {what} for", reason)
    given = answer_of(receipt, ApprovalReply("break-glass", reason), caller, notified)
    answers = (given, answer_of(receipt, ApprovalReply("overridden", reason), caller)) if override else (given,)
    for answer in answers:
        if not ctx.answers.give(answer):
            ctx.progress(f"You have said {answer.kind} to this plan before; that stands.")
    return Answered(given, still_missing(ctx, receipt, *answers))
