"""A tag object carries its name; under another name it is not what its author made."""

from __future__ import annotations

from orchestrator.model.text.quoting import escaped
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    ref = asked.ref
    if not ref.annotated or ref.inner_name == ref.name:
        return None
    return Reason(
        f"the ref {ref.name} points to a tag object that calls itself {escaped(str(ref.inner_name))}",
        "Somebody re-pointed a tag under another name. Delete it and make a tag of its own.",
    )


GATE = Gate(110, "tag-name", ("tag",), "the tag object calls itself by the tag's name", check)
