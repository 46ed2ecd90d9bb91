"""When applies may begin. Who breaks the glass does not wait for a window."""

from __future__ import annotations

from orchestrator.effects.system import clock
from orchestrator.model.rules import windows
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason


def check(asked: GateContext) -> Reason | None:
    why = windows.closed_reason(asked.environment.windows, asked.environment.freeze, clock.now())
    if why is None or _broken(asked):
        return None
    return Reason(f"{asked.tag} is not applied now: {why}", "The plan stays; apply it when it is open.")


def _broken(asked: GateContext) -> bool:
    try:
        return asked.tally.broken is not None
    except NotAsked:
        return False


GATE = Gate(300, "change-window", ("apply", "begin"), "the change window is open", check, ("windows", "freeze"))
