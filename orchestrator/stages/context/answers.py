"""What people have said to a plan, read anew and copied where nobody can alter it any more."""

from __future__ import annotations

from functools import partial

from orchestrator.effects.aws.principals import genuine
from orchestrator.model.approval.approval import Answer, ApprovalPolicy, Tally, copy_of, is_recorded
from orchestrator.model.ledger.ledger import Draft, History
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
    history = ctx.chain.history
    for answer in sorted(_answers(ctx, digest), key=lambda each: each.at):
        if not is_recorded(history, answer):
            ctx.chain.append(partial(_always, copy_of(answer)))


def _always(draft: Draft, history: History) -> Draft:
    return draft
