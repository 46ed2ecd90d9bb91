"""The workspace's path comes from the store, so only a path of the target's own shape is taken."""

from __future__ import annotations

from pathlib import Path

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    from orchestrator.effects.terraform.workspace import suffix

    receipt, release = asked.receipt, asked.release
    path = Path(receipt.workspace)
    own = f"/{suffix(release.rules.project, release.target)}"
    if not receipt.changes or (path.is_absolute() and ".." not in path.parts and receipt.workspace.endswith(own)):
        return None
    return Reason(f"the receipt names the workspace {receipt.workspace}, which does not belong to this target")


GATE = Gate(540, "plan-workspace", ("apply",), "the plan was made in a workspace of the target", check)
