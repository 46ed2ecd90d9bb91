"""Plans expire."""

from __future__ import annotations

from orchestrator.effects.system import clock
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    untimely = asked.receipt.untimely_reason(clock.now())
    if untimely is None:
        return None
    return Reason(untimely, "Plan again." if asked.moment == "review" else asked.plan_again)


GATE = Gate(520, "plan-expiry", ("apply", "review"), "the plan has not expired", check, ("plans.expire_after_hours",))
