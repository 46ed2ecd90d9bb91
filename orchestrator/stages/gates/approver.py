"""Whose approval counts."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.respondent is None:
        raise NotAsked("nobody approves it now")
    from orchestrator.stages.context.answers import judge_of

    objection = judge_of(asked.ctx, asked.receipt).objection(asked.respondent.principal)
    if objection is None:
        return None
    return Reason(objection, "Ask one who may: `approval` in the rules of the environment says who.")


GATE = Gate(
    450,
    "approver",
    ("approve",),
    "who approves may, and has not released it where duties are separated",
    check,
    ("approval.by", "approval.separation_of_duties"),
)
