"""A plan is applied where it was made for: by the account, Region, state and roles that its receipt names."""

from __future__ import annotations

from orchestrator.model.release.receipt import place_of
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    was, now = asked.receipt.place, place_of(asked.release.target)
    for name in now.__struct_fields__:
        if getattr(now, name) != getattr(was, name):
            return Reason(
                f"the rules have changed since the plan was made: {name} was {getattr(was, name)}, "
                f"it is {getattr(now, name)} now",
                asked.plan_again,
            )
    return None


GATE = Gate(510, "unchanged-rules", ("apply",), "the rules say what they said when the plan was made", check)
