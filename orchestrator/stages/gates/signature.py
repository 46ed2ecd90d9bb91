"""Whose signature a tag needs is for the protected branch to say."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    """A signature that is bad, of nobody who may sign, or missing where one is asked for."""
    try:
        _ = asked.signed
    except Refused as error:
        return reason_of(error)
    return None


GATE = Gate(140, "signature", ("tag",), "the tag is signed as the environment asks", check, ("signature", "signers"))
