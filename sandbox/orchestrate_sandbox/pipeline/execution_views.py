"""Executions as CodePipeline's API tells of them. Pure."""

from __future__ import annotations

from typing import Any

from orchestrate_sandbox.pipeline.build import Artifact
from orchestrate_sandbox.pipeline.definition import DefinedStage, PipelineDefinition
from orchestrate_sandbox.pipeline.execution import ActionRun, EmulatedExecution, Executions


def execution(found: EmulatedExecution) -> dict[str, Any]:
    """The structure PipelineExecution."""
    return {
        "pipelineName": found.pipeline.name,
        "pipelineVersion": found.pipeline.version,
        "artifactRevisions": [_artifact_revision(run) for run in _sources(found)],
        "variables": [{"name": name, "resolvedValue": value} for name, value in found.variables.items()],
        **_common(found),
    }


def summary(found: EmulatedExecution) -> dict[str, Any]:
    """The structure PipelineExecutionSummary."""
    stop = {"stopTrigger": {"reason": found.stop.reason}} if found.stop else {}
    return {
        "startTime": found.began,
        "lastUpdateTime": found.changed,
        "sourceRevisions": [_source_revision(run) for run in _sources(found)],
        **_common(found),
        **stop,
    }


def _common(found: EmulatedExecution) -> dict[str, Any]:
    return {
        "pipelineExecutionId": found.id,
        "status": found.status,
        "statusSummary": found.summary,
        "trigger": found.trigger,
        "executionMode": found.pipeline.execution_mode,
        "executionType": "STANDARD",
    }


def _sources(found: EmulatedExecution) -> list[ActionRun]:
    return [
        run for run in found.history if run.action.action_type_id.category == "Source" and run.status == "Succeeded"
    ]


def _artifact_revision(run: ActionRun) -> dict[str, Any]:
    name = run.action.output_artifacts[0].name
    return {"name": name, "created": run.changed, **_revision(run)}


def _source_revision(run: ActionRun) -> dict[str, Any]:
    return {"actionName": run.action.name, **_revision(run)}


def _revision(run: ActionRun) -> dict[str, Any]:
    return {"revisionId": run.external_id, "revisionSummary": run.outcome.summary if run.outcome else None}


def action(run: ActionRun, found: EmulatedExecution) -> dict[str, Any]:
    """The structure ActionExecutionDetail."""
    kind = run.action.action_type_id
    return {
        "pipelineExecutionId": found.id,
        "actionExecutionId": run.id,
        "pipelineVersion": found.pipeline.version,
        "stageName": run.stage,
        "actionName": run.action.name,
        "startTime": run.began,
        "lastUpdateTime": run.changed,
        "updatedBy": run.by,
        "status": run.status,
        "input": {
            "actionTypeId": {name: getattr(kind, name) for name in ("category", "owner", "provider", "version")},
            "configuration": run.action.configuration,
            "resolvedConfiguration": run.configuration,
            "roleArn": run.action.role_arn,
            "region": run.action.region or found.place.region,
            "inputArtifacts": [_artifact(one) for one in run.inputs],
            "namespace": run.action.namespace,
        },
        "output": _output(run),
    }


def _output(run: ActionRun) -> dict[str, Any]:
    """In PARALLEL the token of an approval is told here alone, as the external execution's id."""
    outcome = run.outcome
    return {
        "outputArtifacts": [_artifact(one) for one in outcome.artifacts] if outcome else [],
        "executionResult": {
            "externalExecutionId": run.external_id,
            "externalExecutionSummary": outcome.summary if outcome else None,
            "externalExecutionUrl": run.external_url,
            "errorDetails": _error(run),
            "logStreamARN": run.log_stream_arn,
        },
        "outputVariables": dict(outcome.outputs) if outcome else {},
    }


def _artifact(found: Artifact) -> dict[str, Any]:
    return {"name": found.name, "s3location": {"bucket": found.bucket, "key": found.key}}


def _error(run: ActionRun) -> dict[str, str] | None:
    if run.outcome is None or run.outcome.error is None:
        return None
    code, message = run.outcome.error
    return {"code": code, "message": message}


def stages(pipeline: PipelineDefinition, kept: Executions) -> list[dict[str, Any]]:
    """The structures StageState. In PARALLEL a stage holds many executions, so none is told as its latest."""
    newest_first = sorted(kept.by_id.values(), key=lambda one: one.number, reverse=True)
    shown = [] if pipeline.execution_mode == "PARALLEL" else newest_first
    return [_stage(stage, shown, kept) for stage in pipeline.stages]


def _stage(stage: DefinedStage, shown: list[EmulatedExecution], kept: Executions) -> dict[str, Any]:
    entered = [one for one in shown if stage.name in one.stages and one.stages[stage.name].status is not None]
    waiting = [one for one in shown if one.waits_for == stage.name]
    latest = entered[0] if entered else None
    status = latest.stages[stage.name].status if latest else None
    return {
        "stageName": stage.name,
        "inboundTransitionState": kept.shut.get(stage.name) or {"enabled": True},
        "inboundExecution": {"pipelineExecutionId": waiting[0].id, "status": waiting[0].status} if waiting else None,
        "inboundExecutions": [{"pipelineExecutionId": one.id, "status": one.status} for one in waiting],
        "actionStates": [_action_state(one.name, stage.name, entered) for one in stage.actions],
        "latestExecution": {"pipelineExecutionId": latest.id, "status": status} if latest else None,
    }


def _action_state(name: str, stage: str, entered: list[EmulatedExecution]) -> dict[str, Any]:
    runs = [one.stages[stage].current[name] for one in entered if name in one.stages[stage].current]
    if not runs:
        return {"actionName": name}
    run = runs[0]
    latest = {
        "actionExecutionId": run.id,
        "status": run.status,
        "summary": run.outcome.summary if run.outcome else run.configuration.get("CustomData"),
        "lastStatusChange": run.changed,
        "token": run.token if run.is_approval and run.outcome is None else None,
        "lastUpdatedBy": run.by,
        "externalExecutionId": run.external_id,
        "externalExecutionUrl": run.external_url,
        "errorDetails": _error(run),
        "logStreamARN": run.log_stream_arn,
    }
    return {"actionName": name, "latestExecution": latest, "entityUrl": run.configuration.get("ExternalEntityLink")}
