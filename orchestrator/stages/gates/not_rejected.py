"""One rejection ends a plan, whoever has approved it; it stands until somebody plans the tag again."""

from __future__ import annotations

from orchestrator.model.approval.approval import copy_of, shown
from orchestrator.model.ledger.ledger import Draft
from orchestrator.model.release.admission import unapplied
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.moment == "release":
        return _by_the_chain(asked)
    rejected = asked.tally.rejected
    return None if rejected is None else _reason(asked.receipt.digest, copy_of(rejected))


def _by_the_chain(asked: GateContext) -> Reason | None:
    """By the copies of the answers in the chain, whatever has become of the plan and its receipt."""
    from orchestrator.stages.context.answers import record_answers

    digest = unapplied(asked.history, asked.tag)
    if digest is None:
        return None
    record_answers(asked.ctx, digest)
    said = asked.ctx.chain.history.newest("rejected", tag=asked.tag, digest=digest)
    return None if said is None else _reason(digest, said.draft)


def _reason(digest: str, said: Draft) -> Reason:
    reason = shown(str(said.detail["reason"]))
    why = f": {reason}" if reason else ""
    return Reason(
        f"the plan {digest[:16]} of {said.tag} was rejected at {said.detail['at']} by {said.by}{why}",
        f"When that is settled, `orchestrate plan --tag {said.tag}` makes a new plan to review; other code needs "
        "a new tag.",
    )


GATE = Gate(
    420,
    "not-rejected",
    ("wait", "apply", "begin", "approve", "break-glass", "release"),
    "nobody has rejected the plan",
    check,
)
