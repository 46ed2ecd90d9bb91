"""1.0 and 1.0.0 are the same version and may not both exist for a target."""

from __future__ import annotations

from orchestrator.stages.context.tag_names import released
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    tag = asked.release.tag
    for name, other in released(asked.repository, tag):
        if name != str(tag) and other.version == tag.version:
            return Reason(
                f"{tag} and {name} are the same version of one target", "Keep one of the two tags; delete the other."
            )
    return None


GATE = Gate(120, "single-version", ("tag",), "no other tag of the target is of the same version", check)
