"""Who may act alone in an emergency, and for what reason."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.respondent is None:
        raise NotAsked("nobody breaks the glass now")
    from orchestrator.stages.context.answers import judge_of

    who = asked.respondent
    objection = judge_of(asked.ctx, asked.receipt).glass_objection(who.principal, who.reason)
    return None if objection is None else Reason(objection, "Who may, and for what: docs/break-glass.md.")


GATE = Gate(
    400,
    "break-glass",
    ("break-glass",),
    "who breaks the glass may, and says why",
    check,
    ("approval.break_glass",),
)
