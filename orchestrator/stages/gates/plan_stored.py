"""Only what is stored, and is what was stored, can be answered to and applied."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    try:
        assert asked.receipt
    except NotAsked:
        raise
    except Refused as error:
        return reason_of(error)
    return None


GATE = Gate(
    200,
    "plan-stored",
    ("apply", "apply step", "review", "wait"),
    "the newest plan of the tag is stored, unaltered",
    check,
)
