"""Each new plan of a target withdraws the one before."""

from __future__ import annotations

from orchestrator.model.release.admission import withdrawn_reason
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    gone = withdrawn_reason(asked.history, asked.tag, asked.receipt.digest)
    if gone is None:
        return None
    return Reason(gone, "Review that one." if asked.moment == "review" else asked.plan_again)


GATE = Gate(250, "newest-plan", ("apply", "begin", "review"), "no newer plan of the target is stored", check)
