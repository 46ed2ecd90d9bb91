"""What came of a broken glass: somebody must say so, and until then `status` asks for it."""

from __future__ import annotations

from orchestrator.effects.aws.session import CallerIdentity
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.system import clock
from orchestrator.errors import Refused, UsageError
from orchestrator.model.approval.approval import SHORTEST_REASON, Answer
from orchestrator.model.approval.break_glass import BrokenGlass, due
from orchestrator.model.ledger.ledger import History
from orchestrator.model.release.admission import withdraws
from orchestrator.stages.context.context import ReleaseContext


def open_follow_ups(answers: Answers, history: History) -> tuple[BrokenGlass, ...]:
    """Those of a target. A follow-up stands among the answers until the next plan copies it into the chain."""
    waiting = withdraws(history)
    digests = {each.digest for each in due(history)} | ({waiting} if waiting is not None else set())
    return due(history, [answer for digest in sorted(digests) for answer in answers.of(digest)])


def follow_up(ctx: ReleaseContext, note: str) -> tuple[Answer, ...]:
    """Records the note for every broken glass of this tag; Refused where none waits for one."""
    if len(note.strip()) < SHORTEST_REASON:
        raise UsageError(
            f"a follow-up tells others what was done and what comes of it, in at least {SHORTEST_REASON} characters",
            hint='Give it with --note "...".',
        )
    caller, tag = ctx.caller, str(ctx.release.tag)
    found = open_follow_ups(ctx.answers, ctx.chain.read())
    given = tuple(_answer(ctx, each, note, caller) for each in found if each.tag == tag)
    if not given:
        raise Refused(f"no follow-up is due for {tag}", hint="`orchestrate status` shows those that are.")
    for answer in given:
        ctx.answers.give(answer)
    return given


def _answer(ctx: ReleaseContext, broken: BrokenGlass, note: str, caller: CallerIdentity) -> Answer:
    return Answer(
        version=1,
        kind="followed-up",
        target=ctx.release.target.id,
        tag=broken.tag,
        commit=ctx.release.commit,
        digest=broken.digest,
        by=caller.arn,
        user_id=caller.user_id,
        at=clock.now().isoformat(),
        reason=note,
    )
