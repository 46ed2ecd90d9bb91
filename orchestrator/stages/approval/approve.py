"""The approve stage: a person accepts or rejects the newest plan of a tag, bound to its digest."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.effects.system import clock
from orchestrator.errors import Refused, UsageError, WaitingForApproval
from orchestrator.model.approval.approval import Answer, Kind, Principal
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.admission import withdrawn_reason
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.approval.approvals import (
    check_answers,
    check_rejected,
    judge_of,
    missing_approvals,
    record_answers,
    tally,
)
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.receipts import check_same_release, newest_receipt
from orchestrator.stages.record.refusals import recorded


@dataclass(frozen=True)
class ApprovalReply:
    """What a person says to a plan."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class Answered:
    """`missing` says what is still missing, None where the plan can be applied."""

    answer: Answer
    missing: str | None


@dataclass(frozen=True)
class Approved:
    """A plan of which no approval is missing; `broken` is the answer of who acts alone, where that is why."""

    receipt: PlanReceipt
    broken: Answer | None


@recorded("approve")
def reviewed(ctx: ReleaseContext) -> PlanReceipt:
    """The plan that waits for an answer; Refused where none does."""
    receipt = newest_receipt(ctx)
    check_open(ctx.ledger.history(ctx.release.target.id), receipt)
    return receipt


def check_open(history: History, receipt: PlanReceipt) -> None:
    """Refused where a plan is no longer one to decide on."""
    gone = withdrawn_reason(history, receipt.tag, receipt.digest)
    if gone is not None:
        raise Refused(gone, hint="Review that one.")
    untimely_reason = receipt.untimely_reason(clock.now())
    if untimely_reason is not None:
        raise Refused(untimely_reason, hint="Plan again.")
    if history.newest("applying", "applied", digest=receipt.digest) is not None:
        raise Refused(
            f"the plan {receipt.digest[:16]} has been applied already", hint="`orchestrate history` shows it."
        )


@recorded("approve")
def approve(ctx: ReleaseContext, receipt: PlanReceipt, reply: ApprovalReply) -> Answered:
    """Records who said what to exactly this plan; Refused where it is no longer the one to decide on.

    Refused also where the caller is not one whose approval counts: anybody may reject.
    """
    check_open(ctx.ledger.history(ctx.release.target.id), receipt)
    caller = ctx.caller()
    if reply.kind == "overridden":
        check_override(receipt, reply.reason)
    objection = judge_of(ctx, receipt).objection(Principal(caller.arn, caller.user_id))
    if reply.kind != "rejected":
        check_same_release(ctx, receipt)
        check_rejected(receipt, tally(ctx, receipt))
        if objection is not None:
            raise Refused(objection, hint="Ask one who may: `approval` in the rules of the environment says who.")
    answer = answer_of(receipt, reply, caller)
    if not ctx.answers.give(answer):
        ctx.progress(f"You have {reply.kind} this plan before; that answer stands.")
    return Answered(answer, missing_approvals(ctx, receipt, tally(ctx, receipt, answer)))


def answer_of(receipt: PlanReceipt, reply: ApprovalReply, caller: CallerIdentity, notified: str = "") -> Answer:
    return Answer(
        version=1,
        kind=reply.kind,
        target=receipt.place.target,
        tag=receipt.tag,
        commit=receipt.commit,
        digest=receipt.digest,
        by=caller.arn,
        user_id=caller.user_id,
        at=clock.now().isoformat(),
        reason=reply.reason,
        notified=notified,
    )


def check_override(receipt: PlanReceipt, reason: str) -> None:
    """An override says why, and of what: UsageError and Refused where it does not."""
    if not reason.strip():
        raise UsageError("an override needs a reason", hint='Give it with --reason "...".')
    if not receipt.protected:
        raise Refused(f"the plan {receipt.digest[:16]} touches nothing that is protected", hint="Leave out --override.")


def require_approval(ctx: ReleaseContext, receipt: PlanReceipt) -> Approved:
    """What admits the plan. Raises WaitingForApproval where approvals are missing, Refused where the plan was rejected.

    Refused also where the plan touches protected resources and has no override.
    """
    record_answers(ctx, receipt.digest)
    found = tally(ctx, receipt)
    missing = check_answers(ctx, receipt, found)
    if missing is not None:
        tag = receipt.tag
        raise WaitingForApproval(
            f"{missing}; it would do this: {receipt.summary}",
            hint=f"`orchestrate approve --tag {tag}` approves it, then `orchestrate release --tag {tag}` goes on.",
        )
    return Approved(receipt, found.broken)
