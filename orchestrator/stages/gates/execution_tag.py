"""The variables of an execution are not for people to write."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    if asked.execution is None:
        raise NotAsked("this is not a step of a pipeline")
    try:
        asked.execution.check(asked.release)
    except Refused as error:
        return reason_of(error)
    return None


GATE = Gate(
    160,
    "execution-tag",
    ("step",),
    "the pipeline is the environment's, and its execution is of the tag's commit",
    check,
)
