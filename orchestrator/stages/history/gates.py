"""Which gates of a release hold now. Nothing is written, planned or recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput, OrchestrateError, Refused, StageFailed, WaitingForApproval
from orchestrator.model.release.release import Release
from orchestrator.model.text.masking import Masker
from orchestrator.model.text.progress import Progress
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.gate import Gate, NotAsked, Reason, reason_of
from orchestrator.stages.gates.registry import GATES
from orchestrator.stages.recovery.interrupted import tell
from orchestrator.stages.tags.resolve import look_up

State: TypeAlias = Literal["holds", "refuses", "waits", "not asked", "unknown"]

_CODES: tuple[tuple[State, int], ...] = (("refuses", 4), ("unknown", 6), ("waits", 7))
"""What the command ends with: the first that there is. A gate that is not asked yet stops nothing yet."""


@dataclass(frozen=True)
class GateState:
    """`reason` says why a gate does not hold, what must be there before it can be asked, or why it could not be."""

    gate: Gate
    state: State
    reason: Reason | None = None


@dataclass(frozen=True)
class GateStates:
    """All gates of a release, in the order in which they are asked."""

    release: Release
    found: tuple[GateState, ...]

    @property
    def exit_code(self) -> int:
        states = {each.state for each in self.found}
        return next((code for state, code in _CODES if state in states), 0)


def gate_states(
    repository: Repository,
    tag: str,
    rules_ref: str | None,
    env: Mapping[str, str],
    progress: Progress,
) -> GateStates:
    """Raises InvalidInput for what is no tag of a target; whatever stops one gate from being asked is told for it."""
    tagged = look_up(repository, tag, rules_ref)
    ctx = ReleaseContext(tagged.release, repository, env, progress)
    asked = replace(tagged, at=ctx)
    found = tuple(_masked(_asked(gate, asked.when(gate.moments[0])), ctx.masker) for gate in GATES)
    with contextlib.suppress(OrchestrateError):
        tell(ctx, asked.history)
    return GateStates(tagged.release, found)


def _masked(state: GateState, masker: Masker) -> GateState:
    """What a tool or AWS said may be part of a reason."""
    if state.reason is None:
        return state
    return replace(state, reason=replace(state.reason, message=masker(state.reason.message)))


def _asked(gate: Gate, asked: GateContext) -> GateState:
    try:
        reason = gate.check(asked)
    except NotAsked as error:
        return GateState(gate, "not asked", Reason(f"not asked yet: {error.lacks}", error.hint))
    except OrchestrateError as error:
        if isinstance(error, Refused) and error is asked.facts.get("receipt"):
            return GateState(gate, "not asked", Reason("not asked yet: the stored plan cannot be used"))
        refused = isinstance(error, Refused | StageFailed | InvalidInput)
        return GateState(gate, "refuses" if refused else "unknown", reason_of(error))
    if reason is None:
        return GateState(gate, "holds")
    return GateState(gate, "waits" if issubclass(reason.error, WaitingForApproval) else "refuses", reason)
