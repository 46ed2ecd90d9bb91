"""All gates, in the order in which they are asked. A module of this package that is added here is asked by itself."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate

_NO_GATES = {"gate", "context", "registry"}


def _found() -> tuple[Gate, ...]:
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = [importlib.import_module(f"{__package__}.{name}") for name in names if name not in _NO_GATES]
    return tuple(sorted((module.GATE for module in modules), key=lambda gate: gate.order))


GATES = _found()


def ask(asked: GateContext) -> None:
    """Raises what the first gate that does not hold answers with, of those that are asked at this moment."""
    for gate in GATES:
        if asked.moment in gate.moments:
            reason = gate.check(asked)
            if reason is not None:
                raise reason.raised()
