"""Setting aside the protection of resources is for a plan that touches some."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.respondent is None:
        raise NotAsked("nobody overrides the protection of resources now")
    if not asked.respondent.overrides or asked.receipt.protected:
        return None
    return Reason(f"the plan {asked.receipt.digest[:16]} touches nothing that is protected", "Leave out --override.")


GATE = Gate(410, "override", ("approve", "break-glass"), "a plan that is overridden touches something protected", check)
