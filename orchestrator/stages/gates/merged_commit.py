"""Only what the protected branch contains has been reviewed."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    commit, rules_commit = asked.release.commit, asked.release.rules_commit
    if asked.environment.allow_unmerged_commits or asked.repository.is_ancestor(commit, rules_commit):
        return None
    return Reason(
        f"the commit {commit[:12]} is not on the protected branch (at {rules_commit[:12]})",
        "Merge it there first, or fetch the branch if it has been merged.",
    )


GATE = Gate(
    130,
    "merged-commit",
    ("tag", "commit"),
    "the protected branch contains the commit",
    check,
    ("allow_unmerged_commits",),
)
