"""What people have said to a plan, and whether it is enough to apply it."""

from __future__ import annotations

from orchestrator.effects.aws.principals import genuine
from orchestrator.errors import Refused
from orchestrator.model.approval.approval import Answer, ApprovalPolicy, Tally, copy_of, is_recorded, shown
from orchestrator.model.ledger.ledger import Draft, History
from orchestrator.model.release.admission import unapplied
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.context.context import ReleaseContext

_SHOWN = 10


def judge_of(ctx: ReleaseContext, receipt: PlanReceipt) -> ApprovalPolicy:
    """By the rules of the environment, as they are now."""
    rules = ctx.release.rules
    return ApprovalPolicy(rules.environments[ctx.release.tag.env].approval, rules.project.people, receipt)


def check_answers(ctx: ReleaseContext, receipt: PlanReceipt, found: Tally) -> str | None:
    """Which approvals are missing, None where none is; Refused where no approval can help."""
    check_rejected(receipt, found)
    if found.overridden is None:
        check_protected(receipt)
    return missing_approvals(ctx, receipt, found)


def tally(ctx: ReleaseContext, receipt: PlanReceipt, *own: Answer) -> Tally:
    """What all answers to the plan come to, read anew; `own` are counted though the index may not have them yet."""
    answers = dict.fromkeys([*_answers(ctx, receipt.digest), *own])
    vouched = {answer.principal for answer in ctx.vouched}
    return judge_of(ctx, receipt).tally(answers, lambda principal: principal in vouched or genuine(ctx.aws, principal))


def _answers(ctx: ReleaseContext, digest: str) -> tuple[Answer, ...]:
    return (*ctx.answers.of(digest), *(answer for answer in ctx.vouched if answer.digest == digest))


def missing_approvals(ctx: ReleaseContext, receipt: PlanReceipt, found: Tally) -> str | None:
    """In words, with what does not count and why; None where enough have approved or nobody needs to."""
    policy = ctx.release.rules.environments[ctx.release.tag.env].approval
    if not policy.required or not receipt.changes or not found.missing:
        return None
    ignored = "".join(f"\n  not counted: {why}" for why in found.set_aside.values())
    plan = f"the plan {receipt.digest[:16]} of {receipt.tag}"
    if policy.count == 1:
        return f"{plan} has not been approved{ignored}"
    return f"{plan} has {len(found.approved)} of {policy.count} approvals{ignored}"


def check_protected(receipt: PlanReceipt) -> None:
    """Refused where the plan, as long as nobody has set that aside, touches protected resources."""
    if receipt.protected:
        back, plan = receipt.rollback, f"the plan {receipt.digest[:16]} of {receipt.tag}"
        what = "what is protected" if back is None else f"what {back.left} has and {back.to} had not, or had otherwise"
        raise Refused(
            f"{plan} would destroy or replace {what}: {', '.join(receipt.protected[:_SHOWN])}",
            hint=f'If that is meant: `orchestrate approve --tag {receipt.tag} --override --reason "..."` records it.',
        )


def check_rejected(receipt: PlanReceipt, found: Tally) -> None:
    """One rejection ends a plan, whoever has approved it."""
    if found.rejected is not None:
        raise _rejected(receipt.digest, copy_of(found.rejected))


def check_not_rejected(ctx: ReleaseContext, history: History) -> None:
    """Refused where the newest plan of this tag was rejected: that stands until somebody plans the tag again.

    By the copies of the answers in the chain, so whatever has become of the plan and its receipt.
    """
    tag = str(ctx.release.tag)
    digest = unapplied(history, tag)
    if digest is None:
        return
    record_answers(ctx, digest)
    said = ctx.ledger.history(ctx.release.target.id).newest("rejected", tag=tag, digest=digest)
    if said is not None:
        raise _rejected(digest, said.draft)


def _rejected(digest: str, said: Draft) -> Refused:
    reason = shown(str(said.detail["reason"]))
    why = f": {reason}" if reason else ""
    return Refused(
        f"the plan {digest[:16]} of {said.tag} was rejected at {said.detail['at']} by {said.by}{why}",
        hint=f"When that is settled, `orchestrate plan --tag {said.tag}` makes a new plan to review; other code needs "
        "a new tag.",
    )


def record_answers(ctx: ReleaseContext, digest: str) -> None:
    """Copies the answers to a plan into the chain of its target, where nobody can alter them any more."""
    history = ctx.ledger.history(ctx.release.target.id)
    for answer in sorted(_answers(ctx, digest), key=lambda each: each.at):
        if not is_recorded(history, answer):
            _append(ctx, copy_of(answer))


def _append(ctx: ReleaseContext, draft: Draft) -> None:
    ctx.ledger.append(ctx.release.target.id, lambda _: draft)
