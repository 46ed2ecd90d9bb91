"""The approve stage: a person accepts or rejects the newest plan of a tag, bound to its digest."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.effects.aws.session import Identity
from orchestrator.effects.system import clock
from orchestrator.errors import Refused, UsageError, WaitingForApproval
from orchestrator.model.approval.approval import Answer, Kind, Principal
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.admission import withdrawn
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.approval.approvals import (
    check_answers,
    check_rejected,
    judge_of,
    missing_approvals,
    record_answers,
    tally,
)
from orchestrator.stages.context.context import Surroundings
from orchestrator.stages.gates.receipts import check_same_release, newest_receipt
from orchestrator.stages.record.refusals import recorded


@dataclass(frozen=True)
class Reply:
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
def reviewed(at: Surroundings) -> PlanReceipt:
    """The plan that waits for an answer; Refused where none does."""
    receipt = newest_receipt(at)
    check_open(at.ledger.history(at.release.target.id), receipt)
    return receipt


def check_open(history: History, receipt: PlanReceipt) -> None:
    """Refused where a plan is no longer one to decide on."""
    gone = withdrawn(history, receipt.tag, receipt.digest)
    if gone is not None:
        raise Refused(gone, hint="Review that one.")
    untimely = receipt.untimely(clock.now())
    if untimely is not None:
        raise Refused(untimely, hint="Plan again.")
    if history.newest("applying", "applied", digest=receipt.digest) is not None:
        raise Refused(
            f"the plan {receipt.digest[:16]} has been applied already", hint="`orchestrate history` shows it."
        )


@recorded("approve")
def approve(at: Surroundings, receipt: PlanReceipt, reply: Reply) -> Answered:
    """Records who said what to exactly this plan; Refused where it is no longer the one to decide on.

    Refused also where the caller is not one whose approval counts: anybody may reject.
    """
    check_open(at.ledger.history(at.release.target.id), receipt)
    caller = at.caller()
    if reply.kind == "overridden":
        check_override(receipt, reply.reason)
    objection = judge_of(at, receipt).objection(Principal(caller.arn, caller.user_id))
    if reply.kind != "rejected":
        check_same_release(at, receipt)
        check_rejected(receipt, tally(at, receipt))
        if objection is not None:
            raise Refused(objection, hint="Ask one who may: `approval` in the rules of the environment says who.")
    answer = answer_of(receipt, reply, caller)
    if not at.answers.give(answer):
        at.progress(f"You have {reply.kind} this plan before; that answer stands.")
    return Answered(answer, missing_approvals(at, receipt, tally(at, receipt, answer)))


def answer_of(receipt: PlanReceipt, reply: Reply, caller: Identity, notified: str = "") -> Answer:
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


def require_approval(at: Surroundings, receipt: PlanReceipt) -> Approved:
    """What admits the plan. Raises WaitingForApproval where approvals are missing, Refused where the plan was rejected.

    Refused also where the plan touches protected resources and has no override.
    """
    record_answers(at, receipt.digest)
    found = tally(at, receipt)
    missing = check_answers(at, receipt, found)
    if missing is not None:
        tag = receipt.tag
        raise WaitingForApproval(
            f"{missing}; it would do this: {receipt.summary}",
            hint=f"`orchestrate approve --tag {tag}` approves it, then `orchestrate release --tag {tag}` goes on.",
        )
    return Approved(receipt, found.broken)
