"""The approve stage: a person accepts or rejects the newest plan of a tag, bound to its digest."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.effects.system import clock, outlet
from orchestrator.errors import UsageError
from orchestrator.model.approval.approval import Answer, Kind, Principal
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.context.answers import tally
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.approvals import missing_approvals
from orchestrator.stages.gates.context import GateContext, Respondent
from orchestrator.stages.gates.registry import ask
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
    asked = GateContext.of(ctx, "review")
    ask(asked)
    return asked.receipt


@recorded("approve")
def approve(ctx: ReleaseContext, receipt: PlanReceipt, reply: ApprovalReply) -> Answered:
    """Records who said what to exactly this plan; Refused where it is no longer the one to decide on.

    Refused also where the caller is not one whose approval counts: anybody may reject.
    """
    ask(GateContext.of(ctx, "review", history=ctx.chain.read(), receipt=receipt))  # a person has taken their time
    caller, overrides = ctx.caller, reply.kind == "overridden"
    if overrides and not reply.reason.strip():
        raise UsageError("an override needs a reason", hint='Give it with --reason "...".')
    if reply.kind != "rejected":
        who = Respondent(Principal(caller.arn, caller.user_id), reply.reason, overrides)
        ask(replace(GateContext.of(ctx, "approve", receipt=receipt), respondent=who))
    answer = answer_of(receipt, reply, caller)
    if not ctx.answers.give(answer):
        ctx.progress(f"You have {reply.kind} this plan before; that answer stands.")
    return Answered(answer, still_missing(ctx, receipt, answer))


def still_missing(ctx: ReleaseContext, receipt: PlanReceipt, *given: Answer) -> str | None:
    """Which approvals are, when what has just been given counts as well."""
    approval = ctx.release.rules.environments[ctx.release.tag.env].approval
    return missing_approvals(approval, receipt, tally(ctx, receipt, *given))


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
        reason=outlet.kept(reply.reason),
        notified=outlet.kept(notified),
    )


def require_approval(ctx: ReleaseContext) -> Approved:
    """What admits the plan. Raises WaitingForApproval where approvals are missing, Refused where the plan was rejected.

    Refused also where the plan touches protected resources and has no override.
    """
    asked = GateContext.of(ctx, "wait", acts=True)
    ask(asked)
    return Approved(asked.receipt, asked.tally.broken)
