"""A plan is applied once."""

from __future__ import annotations

from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason

_ENDS = {"applied": "is done", "failed": "failed", "recovered": "was interrupted and has been recovered"}


def check(asked: GateContext) -> Reason | None:
    digest = asked.receipt.digest
    begun = asked.history.newest("applying", "applied", digest=digest)
    if begun is None:
        return None
    if asked.moment == "review":
        return Reason(f"the plan {digest[:16]} has been applied already", "`orchestrate history` shows it.")
    return Reason(_told(asked.history, begun), asked.plan_again)


def _told(history: History, begun: Entry) -> str:
    ended = history.newest("applied", "failed", "recovered", digest=begun.digest)
    what = "did not finish" if ended is None else _ENDS[ended.kind]
    return f"the newest plan of {begun.tag} was applied before, at {begun.at} by {begun.by}; that apply {what}"


GATE = Gate(230, "applied-once", ("apply", "begin", "review"), "nobody has begun to apply the plan", check)
