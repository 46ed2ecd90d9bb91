"""A lightweight tag names nobody as its author."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    if asked.ref.annotated or asked.environment.allow_lightweight_tags:
        return None
    return Reason(
        f"{asked.tag} is a lightweight tag: it has no tag object, so nobody is recorded as its author",
        "Make it with `orchestrate tag` (or `git tag --annotate`).",
    )


GATE = Gate(100, "annotated-tag", ("tag",), "the tag is annotated", check, ("allow_lightweight_tags",))
