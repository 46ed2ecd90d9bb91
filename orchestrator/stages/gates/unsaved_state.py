"""What a state that could not be saved alone knows of would be made again."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    unsaved = asked.workspace.unsaved_states
    if not unsaved:
        return None
    return Reason(
        f"an earlier apply could not save its state: it lies in {unsaved[0]}",
        f"`orchestrate recover --tag {asked.tag}` keeps it, and stores it where it fits.",
    )


GATE = Gate(600, "unsaved-state", ("workspace",), "no state lies here that could not be saved", check)
