"""Whose signature a tag needs is for the protected branch to say."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    try:
        signed = asked.signed
    except Refused as error:
        return reason_of(error)
    if signed is not None or asked.environment.signature != "required":
        return None
    return Reason(
        f"the tag {asked.tag} is not signed, and this environment asks for signed tags",
        "Make a new version with `orchestrate tag --sign`.",
    )


GATE = Gate(140, "signature", ("tag",), "the tag is signed by one of the signers", check, ("signature", "signers"))
