"""Old code can only go on from a state that it understands."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.model.terraform.state_file import parse
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason, reason_of


def check(asked: GateContext) -> Reason | None:
    from orchestrator.stages.context.state import check_usable

    if asked.rollback is None:
        raise NotAsked("the release goes back to nothing")
    backend = asked.release.target.backend
    where = f"s3://{backend.bucket}/{backend.key}"
    content = asked.identified.states.get(backend.key)
    if content is None:
        return Reason(f"there is no state {where}, so nothing to go back from", "Restore the state first.")
    try:
        check_usable(asked.ctx, parse(content, where))
    except Refused as error:
        return reason_of(error)
    return None


GATE = Gate(315, "rollback-state", ("rollback",), "the commit that is returned to can work with the state", check)
