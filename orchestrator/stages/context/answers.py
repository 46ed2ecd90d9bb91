"""What people have said to a plan, read anew and copied where nobody can alter it any more."""

from __future__ import annotations

from orchestrator.effects.aws.principals import genuine
from orchestrator.model.approval.approval import Answer, ApprovalPolicy, Tally, copy_of, is_recorded
from orchestrator.model.ledger.ledger import Draft
from orchestrator.model.release.receipt import PlanReceipt
from orchestrator.stages.context.context import ReleaseContext


def judge_of(ctx: ReleaseContext, receipt: PlanReceipt) -> ApprovalPolicy:
    """By the rules of the environment, as they are now."""
    rules = ctx.release.rules
    return ApprovalPolicy(rules.environments[ctx.release.tag.env].approval, rules.project.people, receipt)


def tally(ctx: ReleaseContext, receipt: PlanReceipt, *own: Answer) -> Tally:
    """What all answers to the plan come to, read anew; `own` are counted though the index may not have them yet."""
    answers = dict.fromkeys([*_answers(ctx, receipt.digest), *own])
    vouched = {answer.principal for answer in ctx.vouched}
    return judge_of(ctx, receipt).tally(answers, lambda principal: principal in vouched or genuine(ctx.aws, principal))


def _answers(ctx: ReleaseContext, digest: str) -> tuple[Answer, ...]:
    return (*ctx.answers.of(digest), *(answer for answer in ctx.vouched if answer.digest == digest))


def record_answers(ctx: ReleaseContext, digest: str) -> None:
    """Copies the answers to a plan into the chain of its target, where nobody can alter them any more."""
    history = ctx.ledger.history(ctx.release.target.id)
    for answer in sorted(_answers(ctx, digest), key=lambda each: each.at):
        if not is_recorded(history, answer):
            _append(ctx, copy_of(answer))


def _append(ctx: ReleaseContext, draft: Draft) -> None:
    ctx.ledger.append(ctx.release.target.id, lambda _: draft)
