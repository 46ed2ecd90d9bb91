"""A plan is applied to the state that it was made against."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    from orchestrator.stages.context.state import state_version

    if state_version(asked.identified) == asked.receipt.state:
        return None
    return Reason("the state has changed since the plan was made: the plan is stale", asked.plan_again)


GATE = Gate(530, "unchanged-state", ("apply",), "the state is the one that the plan was made against", check)
