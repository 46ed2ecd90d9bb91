"""Rules only move on: a release is not decided by older ones than what is recorded, nor by others beside them."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    last, now = asked.history.rules_commit, asked.release.rules_commit
    if last is None or asked.repository.follows(last, now):
        return None
    return Reason(
        f"the rules of commit {now[:12]} are not newer than those of {last[:12]}, by which {asked.release.target.id} "
        "was released before",
        "Run `git fetch origin`. If the protected branch itself went back, somebody rewrote it: find out who.",
    )


GATE = Gate(
    215,
    "newest-rules",
    ("plan", "review", "approve", "break-glass", "apply", "begin"),
    "the rules are those by which the target was last released, or newer",
    check,
)
