"""A provider that looks elsewhere than the state was made finds nothing and would plan everything as new."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    applied, target = asked.history.newest("applied", "adopted"), asked.release.target
    if applied is None:
        return None
    before = (applied.detail.get("account"), applied.detail.get("region"))
    if before == (target.account, target.region):
        return None
    return Reason(
        f"the state of {target.id} was made in account {before[0]}, Region {before[1]}, but the rules now "
        f"say {target.account}, {target.region}",
        "Its resources would be made a second time. Undo the change in envs/, or move the resources first.",
    )


GATE = Gate(
    320,
    "state-place",
    ("plan", "rollback"),
    "the rules say the account and Region in which the state was made",
    check,
    ("teams", "regions", "global_resource_deploy_from_region"),
)
