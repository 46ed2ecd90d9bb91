"""The pipeline applies what the same execution has planned and had approved."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.execution is None:
        raise NotAsked("this is not the apply step of a pipeline")
    digest, own = asked.receipt.digest, asked.execution.digest
    if digest == own:
        return None
    return Reason(
        f"the newest plan of {asked.tag} is {digest[:16]}, but this execution made and had approved {own[:16]}",
        "Another execution of the same tag has planned since. Its own apply step goes on with its plan.",
    )


GATE = Gate(210, "execution-plan", ("apply step",), "the newest plan is the one that this execution has made", check)
