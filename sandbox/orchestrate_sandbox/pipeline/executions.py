"""The executions of each pipeline, and what people and programs ask of them. The conductor then moves them on."""

from __future__ import annotations

from typing import Any

from orchestrate_sandbox.pipeline import state_changes
from orchestrate_sandbox.pipeline.conductor import conductor
from orchestrate_sandbox.pipeline.definition import PipelineDefinition, read
from orchestrate_sandbox.pipeline.execution import (
    CANCELLED,
    FAILED,
    RUNNING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    ActionOutcome,
    ActionPlace,
    ActionRun,
    EmulatedExecution,
    Executions,
    Stop,
    now,
)
from orchestrate_sandbox.pipeline.place import settings


class ApiError(Exception):
    """An error of the API: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def executions_of(stored: Any) -> Executions:
    """`stored` is moto's pipeline: what is kept in it is gone with it."""
    found: Executions = stored.__dict__.setdefault("sandbox_executions", Executions())
    return found


def start(stored: Any, place: ActionPlace, request: dict[str, Any], trigger: dict[str, str]) -> EmulatedExecution:
    """`request` as StartPipelineExecution has it; raises Refused."""
    kept = executions_of(stored)
    pipeline = read(stored.pipeline)
    token = request.get("clientRequestToken")
    with conductor.lock:
        if token in kept.by_token:
            return kept.by_token[token]
        variables = _variables(pipeline, request.get("variables") or [])
        revisions = _revisions(pipeline, request.get("sourceRevisions") or [])
        _check_limit(pipeline, kept)
        execution = EmulatedExecution(pipeline, kept, place, len(kept.by_id) + 1, variables, revisions, trigger)
        kept.by_id[execution.id] = execution
        if token:
            kept.by_token[token] = execution
    state_changes.of_execution(execution, "STARTED")
    conductor.poke(execution)
    return execution


def _variables(pipeline: PipelineDefinition, given: list[dict[str, str]]) -> dict[str, str]:
    values = {one["name"]: one["value"] for one in given}
    declared = {one.name: one.default_value for one in pipeline.variables}
    if unknown := sorted(set(values) - set(declared)):
        raise ApiError("ValidationException", f"The pipeline {pipeline.name} has no variable {unknown[0]}")
    merged = {**declared, **values}
    if missing := sorted(name for name, value in merged.items() if value is None):
        raise ApiError("ValidationException", f"The variable {missing[0]} has no default and needs a value")
    return {name: value for name, value in merged.items() if value is not None}


def _revisions(pipeline: PipelineDefinition, given: list[dict[str, str]]) -> list[dict[str, str]]:
    sources = {action.name: action for action in pipeline.stages[0].actions}
    for one in given:
        action = sources.get(one["actionName"])
        if action is None:
            raise ApiError("ValidationException", f"The pipeline has no source action {one['actionName']}")
        allowed = action.configuration.get("AllowOverrideForS3ObjectKey") == "true"
        if one["revisionType"] == "S3_OBJECT_KEY" and not allowed:
            raise ApiError(
                "ValidationException", f"Action {action.name} does not have AllowOverrideForS3ObjectKey set to true"
            )
    return given


def _check_limit(pipeline: PipelineDefinition, kept: Executions) -> None:
    running = sum(not execution.is_over for execution in kept.by_id.values())
    if pipeline.execution_mode != "SUPERSEDED" and running >= settings().concurrent_executions:
        raise ApiError(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"The pipeline {pipeline.name} has reached the limit of {running} concurrent executions",
        )


def approve(execution: EmulatedExecution, run: ActionRun, *, approved: bool, summary: str, by: str) -> None:
    status = SUCCEEDED if approved else FAILED
    error = None if approved else ("JobFailed", f"Rejected: {summary}")
    run.by = by
    conductor.ended(execution, run, ActionOutcome(status, summary, error=error))


def stop(execution: EmulatedExecution, wanted: Stop) -> None:
    with conductor.lock:
        if execution.is_over:
            raise ApiError("PipelineExecutionNotStoppableException", f"The execution is {execution.status}")
        if execution.stop and (execution.stop.abandon or not wanted.abandon):
            raise ApiError("DuplicatedStopRequestException", "The execution is being stopped already")
        execution.stop, execution.status = wanted, STOPPING
        execution.summary, execution.changed = wanted.reason, now()
    state_changes.of_execution(execution, "STOPPING")
    conductor.poke(execution)


def retry(execution: EmulatedExecution, stage: str, mode: str) -> None:
    """Runs a stage that has failed or was stopped again; raises Refused."""
    with conductor.lock:
        run = execution.stages[stage]
        if execution.status not in (FAILED, STOPPED) or run.status not in (FAILED, STOPPED):
            raise ApiError("StageNotRetryableException", f"The stage {stage} of this execution is {run.status}")
        run.run_again(mode)
        execution.status, execution.stop, execution.summary, execution.changed = RUNNING, None, None, now()
    state_changes.of_execution(execution, "RESUMED")
    conductor.poke(execution)


def transition(stored: Any, stage: str, shut: dict[str, Any] | None) -> None:
    """Opens the way into a stage, or shuts it; `shut` says why, by whom and when."""
    kept = executions_of(stored)
    with conductor.lock:
        if shut is None:
            kept.shut.pop(stage, None)
        else:
            kept.shut[stage] = shut
    for execution in kept.by_id.values():
        conductor.poke(execution)


def cancel_all() -> None:
    """For a reset and the end of the server: nothing goes on."""
    from moto.codepipeline.models import codepipeline_backends

    with conductor.lock:
        backends = [backend for account in codepipeline_backends.values() for backend in account.values()]
        for stored in (stored for backend in backends for stored in backend.pipelines.values()):
            for execution in executions_of(stored).by_id.values():
                execution.status = execution.status if execution.is_over else CANCELLED
