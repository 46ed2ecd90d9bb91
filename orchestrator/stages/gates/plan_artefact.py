"""What is applied is the stored plan; stored plans expire."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    artefact = asked.receipt.artefact
    if not asked.receipt.changes or asked.identified.releases.exists(artefact.key):
        return None
    return Reason(f"the stored plan {artefact.key} is gone", "Plan again.")


GATE = Gate(550, "plan-artefact", ("apply",), "the plan itself is still stored", check)
