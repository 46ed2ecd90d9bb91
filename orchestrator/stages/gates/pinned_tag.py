"""A tag is released as it was first seen, or not at all."""

from __future__ import annotations

from orchestrator.model.release.admission import MAKE_NEW, moved, repointed
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    """By its pin; before a plan also by the chain, whatever has become of the pin."""
    release, pin = asked.release, asked.pin
    now = (release.tag_object, release.commit)
    why = None if pin is None else repointed(asked.tag, (pin.object, pin.commit), now)
    if why is None and asked.moment == "plan":
        why = moved(asked.history, asked.tag, release.commit)
    return None if why is None else Reason(why, MAKE_NEW)


GATE = Gate(150, "pinned-tag", ("plan", "apply"), "the tag is what it was when it was first seen", check)
