"""The commit must hold the team's root configuration, and variable files that are files."""

from __future__ import annotations

from orchestrator.errors import InvalidInput
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    """Not a rule that forbids it: such a commit cannot be released at all (exit 3)."""
    try:
        assert asked.var_files is not None
    except InvalidInput as error:
        return reason_of(error)
    return None


GATE = Gate(
    145,
    "release-content",
    ("tag", "commit"),
    "the commit holds the root configuration of the team",
    check,
    ("teams.<name>.root",),
)
