"""What there is of the tools: for people who want to know, and for those who fix it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.effects.tools.find import Pins, find
from orchestrator.effects.tools.pinned import load_pins
from orchestrator.errors import DependencyError
from orchestrator.model.tools.tool import Tool


@dataclass(frozen=True)
class FoundTool:
    """A program that a release needs: the tool that is used for it, or why there is none."""

    name: str
    pinned: str
    tool: Tool | None
    problem: str | None


def survey(names: Sequence[str], env: Mapping[str, str], pins: Pins | None = None) -> tuple[FoundTool, ...]:
    pins = pins or load_pins()
    return tuple(_finding(name, env, pins) for name in names)


def _finding(name: str, env: Mapping[str, str], pins: Pins) -> FoundTool:
    try:
        tool = find(name, env=env, pins=pins)
    except DependencyError as failure:
        return FoundTool(name, pins[name].version, None, failure.message)
    return FoundTool(name, pins[tool.name].version, tool, None)
