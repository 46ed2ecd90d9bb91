"""Where rules that have changed name a place without a state, everything would be planned as new."""

from __future__ import annotations

from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, Reason


def check(asked: GateContext) -> Reason | None:
    """By the backend that the workspace had before."""
    from orchestrator.effects.terraform.data_folder import backend_before

    target, data = asked.release.target, asked.workspace.data
    backend, before = target.backend, backend_before(data)
    if before in (None, (backend.bucket, backend.key)) or asked.identified.states.get(backend.key) is not None:
        return None
    return Reason(
        f"the state of {target.id} was kept in s3://{'/'.join(before)}, but the rules now name "
        f"s3://{backend.bucket}/{backend.key}, where there is none",
        f"Undo the change in envs/, or move the state first. Where it is not needed, remove {data}.",
    )


GATE = Gate(610, "lost-state", ("init",), "the state has not been left behind in another place", check)
