"""A plan is of the tag as it was when the plan was made."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    release, receipt = asked.release, asked.receipt
    if (receipt.tag, receipt.tag_object, receipt.commit) == (asked.tag, release.tag_object, release.commit):
        return None
    return Reason(
        f"the plan {receipt.digest[:16]} was made of commit {receipt.commit[:12]} (tag object "
        f"{receipt.tag_object[:12]}), but {release.tag} is {release.commit[:12]} ({release.tag_object[:12]}) now",
        "Was the tag moved? Make a new version instead.",
    )


GATE = Gate(500, "same-release", ("apply", "approve", "break-glass"), "the plan was made of what the tag is now", check)
