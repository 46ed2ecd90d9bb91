"""What comes next in an execution. Pure: records in, one step out.

Source: "How pipeline executions work" and "Set or change the pipeline execution mode" (CodePipeline user guide).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchestrate_sandbox.pipeline.definition import Action, DefinedStage
from orchestrate_sandbox.pipeline.execution import (
    FAILED,
    RUNNING,
    SKIPPED,
    STOPPED,
    SUCCEEDED,
    ActionRun,
    EmulatedExecution,
    StageRun,
)


@dataclass(frozen=True)
class Enter:
    stage: DefinedStage


@dataclass(frozen=True)
class Begin:
    """Actions that run at the same time."""

    stage: DefinedStage
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Leave:
    stage: DefinedStage
    status: str


@dataclass(frozen=True)
class Abandon:
    runs: tuple[ActionRun, ...]


@dataclass(frozen=True)
class End:
    status: str


Step: TypeAlias = Enter | Begin | Leave | Abandon | End


def next_step(execution: EmulatedExecution) -> Step | None:
    """None while the execution waits for an action, or is over."""
    if execution.is_over:
        return None
    for stage in execution.pipeline.stages:
        run = execution.stages[stage.name]
        if run.status is None:
            return End(STOPPED) if execution.stop else Enter(stage)
        if run.status not in (SUCCEEDED, SKIPPED):
            return _within(execution, stage, run)
    return End(SUCCEEDED)


def _within(execution: EmulatedExecution, stage: DefinedStage, run: StageRun) -> Step | None:
    running = tuple(action for action in run.current.values() if action.status == RUNNING)
    if running:
        return Abandon(running) if execution.stop and execution.stop.abandon else None
    if any(action.status == FAILED for action in run.current.values()):
        return End(STOPPED) if execution.stop else Leave(stage, FAILED)
    waiting = [action for action in stage.actions if action.name not in run.current]
    if execution.stop and (waiting or any(action.status != SUCCEEDED for action in run.current.values())):
        return End(STOPPED)
    if not waiting:
        return Leave(stage, SUCCEEDED)
    first = min(action.run_order for action in waiting)
    return Begin(stage, tuple(action for action in waiting if action.run_order == first))


Turn: TypeAlias = Literal["enter", "wait", "superseded"]


def turn(execution: EmulatedExecution, stage: str) -> Turn:
    """Whether the execution may enter the stage now.

    A stage holds one execution at a time, except in PARALLEL. Where several wait, in QUEUED the first goes first, and
    in SUPERSEDED the last takes the place of those before it.
    """
    mode = execution.pipeline.execution_mode
    if stage in execution.siblings.shut:
        return "wait"
    if mode == "PARALLEL":
        return "enter"
    rivals = [other for other in execution.siblings.by_id.values() if other is not execution and not other.is_over]
    later = [other for other in rivals if other.number > execution.number]
    if mode == "SUPERSEDED" and any(other.waits_for == stage for other in later):
        return "superseded"
    if any(other.stages[stage].status == RUNNING for other in rivals if stage in other.stages):
        return "wait"
    if mode == "QUEUED" and any(other.number < execution.number and _is_before(other, stage) for other in rivals):
        return "wait"
    return "enter"


def _is_before(other: EmulatedExecution, stage: str) -> bool:
    return stage in other.stages and other.stages[stage].status is None
