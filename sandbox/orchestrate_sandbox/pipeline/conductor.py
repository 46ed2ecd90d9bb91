"""Moves executions on, one step after the other, on one thread: whatever changes something pokes it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial

from orchestrate_sandbox.pipeline import actions, state_changes, work
from orchestrate_sandbox.pipeline.conditions import broken
from orchestrate_sandbox.pipeline.definition import DefinedStage
from orchestrate_sandbox.pipeline.execution import (
    ABANDONED,
    FAILED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    SUPERSEDED,
    ActionOutcome,
    ActionRun,
    EmulatedExecution,
    now,
)
from orchestrate_sandbox.pipeline.place import settings
from orchestrate_sandbox.pipeline.progress import Abandon, Begin, Enter, Leave, Step, next_step, turn

Call = Callable[[], None]


class Conductor:
    """`lock` is held whenever an execution's records change; never while another service is asked for something."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._poked: queue.SimpleQueue[EmulatedExecution] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def poke(self, execution: EmulatedExecution) -> None:
        with self.lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="conductor", daemon=True)
                self._thread.start()
        self._poked.put(execution)

    def ended(self, execution: EmulatedExecution, run: ActionRun, outcome: ActionOutcome) -> None:
        """An action has ended; one that has ended before stays as it was."""
        with self.lock:
            if run.outcome is not None:
                return
            execution.end(run, outcome)
        state_changes.of_action(execution, run)
        self.poke(execution)

    def _serve(self) -> None:
        while True:
            execution = self._poked.get()
            work.run(partial(self._move_on, execution))

    def _move_on(self, execution: EmulatedExecution) -> None:
        while True:
            with self.lock:
                step = next_step(execution)
                calls = None if step is None else self._take(step, execution)
            if calls is None:
                return
            for call in calls:
                call()

    def _take(self, step: Step, execution: EmulatedExecution) -> list[Call] | None:
        """Changes the records, and returns what is to be done outside the lock; None where one has to wait."""
        if isinstance(step, Enter):
            return self._enter(step.stage, execution)
        if isinstance(step, Begin):
            return self._begin(step, execution)
        if isinstance(step, Leave):
            return self._leave(step, execution)
        if isinstance(step, Abandon):
            return self._abandon(step, execution)
        return self._end(execution, step.status)

    def _enter(self, stage: DefinedStage, execution: EmulatedExecution) -> list[Call] | None:
        wish = turn(execution, stage.name)
        if wish == "superseded":
            return self._end(execution, SUPERSEDED)
        if wish == "wait":
            execution.waits_for = stage.name
            for other in execution.waiting():
                if other.number < execution.number:  # it may be superseded now
                    self.poke(other)
            return None
        unmet = broken(stage.before_entry.conditions, execution.namespaces)
        status = RUNNING if unmet is None else SKIPPED if unmet.result == "SKIP" else FAILED
        execution.stages[stage.name].status, execution.waits_for, execution.changed = status, None, now()
        calls: list[Call] = [partial(state_changes.of_stage, execution, stage.name, status)]
        if unmet is not None and status == FAILED:
            execution.summary = unmet.why
            calls += self._end(execution, FAILED)
        return calls

    def _begin(self, step: Begin, execution: EmulatedExecution) -> list[Call]:
        stage = execution.stages[step.stage.name]
        runs = [ActionRun(action, stage.name) for action in step.actions]
        stage.current |= {run.action.name: run for run in runs}
        execution.history.extend(runs)
        return [partial(self._start, execution, run) for run in runs]

    def _start(self, execution: EmulatedExecution, run: ActionRun) -> None:
        state_changes.of_action(execution, run)
        outcome = actions.begin(execution, run, partial(self.ended, execution, run))
        if outcome is not None:
            self.ended(execution, run, outcome)
        elif (minutes := actions.limit_minutes(run)) is not None:
            work.after(minutes * settings().minute_seconds, partial(self._expire, execution, run, minutes))

    def _expire(self, execution: EmulatedExecution, run: ActionRun, minutes: int) -> None:
        if run.outcome is None:
            message = f"The action was not completed within {minutes} minutes"
            self.ended(execution, run, ActionOutcome(FAILED, message, error=("JobTimedOut", message)))
            actions.cancel(execution, run)

    def _leave(self, step: Leave, execution: EmulatedExecution) -> list[Call]:
        stage, run, status = step.stage, execution.stages[step.stage.name], step.status
        if status == SUCCEEDED and (unmet := broken(stage.on_success.conditions, execution.namespaces)):
            status, execution.summary = FAILED, unmet.why
        calls: list[Call] = [partial(state_changes.of_stage, execution, stage.name, status)]
        if status == FAILED and stage.on_failure.result == "RETRY" and not run.retried_by_itself:
            run.retried_by_itself = True
            run.run_again(stage.on_failure.retry_configuration.retry_mode)
            return calls
        run.status, execution.changed = status, now()
        if status == FAILED:
            return calls + self._end(execution, FAILED)
        self._poke_waiting(execution)
        return calls

    def _abandon(self, step: Abandon, execution: EmulatedExecution) -> list[Call]:
        for run in step.runs:
            execution.end(run, ActionOutcome(ABANDONED))
        return [partial(state_changes.of_action, execution, run) for run in step.runs]

    def _end(self, execution: EmulatedExecution, status: str) -> list[Call]:
        """The stage that was being worked on ends with the execution."""
        execution.status, execution.changed, execution.waits_for = status, now(), None
        for stage in execution.stages.values():
            if stage.status == RUNNING:
                stage.status = status
        self._poke_waiting(execution)
        return [partial(state_changes.of_execution, execution)]

    def _poke_waiting(self, execution: EmulatedExecution) -> None:
        for other in execution.waiting():
            self.poke(other)


conductor = Conductor()
