"""A plan that does what it may not is not stored."""

from __future__ import annotations

from orchestrator.errors import StageFailed
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    """Of a plan that is stored it is known that it passed."""
    if asked.judged is None:
        assert asked.receipt
        return None
    objection = asked.judged.objection(asked.tag)
    return None if objection is None else Reason(objection, error=StageFailed)


GATE = Gate(340, "plan-policy", ("judge",), "the plan does nothing that policy and scan refuse", check, ("policy",))
