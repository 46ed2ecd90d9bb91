"""Going back is a release under a new version."""

from __future__ import annotations

from orchestrator.model.release.admission import superseded
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    late = superseded(asked.history, asked.release.tag)
    if late is None:
        return None
    return Reason(late, "To go back, release that commit under a new version: `orchestrate rollback`.")


GATE = Gate(240, "newest-version", ("apply", "begin"), "no newer version has been applied to the target", check)
