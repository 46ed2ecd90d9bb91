"""The events of CodePipeline.

Source: "Monitoring CodePipeline events" (CodePipeline user guide): one type of event each for executions, stages and
actions.
"""

from __future__ import annotations

from typing import Any

from orchestrate_sandbox.pipeline.bus import Happening, publish
from orchestrate_sandbox.pipeline.execution import (
    ABANDONED,
    CANCELLED,
    FAILED,
    RUNNING,
    SKIPPED,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    SUPERSEDED,
    ActionRun,
    EmulatedExecution,
)

_STATES = {
    ABANDONED: "ABANDONED",
    CANCELLED: "CANCELED",
    FAILED: "FAILED",
    RUNNING: "STARTED",
    SKIPPED: "SKIPPED",
    STOPPED: "STOPPED",
    STOPPING: "STOPPING",
    SUCCEEDED: "SUCCEEDED",
    SUPERSEDED: "SUPERSEDED",
}


def of_execution(execution: EmulatedExecution, state: str | None = None) -> None:
    """`state` where it is not the one that its status says: STARTED, RESUMED."""
    trigger = {"trigger-type": execution.trigger["triggerType"], "trigger-detail": execution.trigger["triggerDetail"]}
    said = {
        "state": state or _STATES[execution.status],
        "start-time": f"{execution.began:%Y-%m-%dT%H:%M:%S.%fZ}",
        "execution-trigger": trigger,
    }
    _publish(execution, "Pipeline", said)


def of_stage(execution: EmulatedExecution, stage: str, status: str) -> None:
    _publish(execution, "Stage", {"stage": stage, "state": _STATES[status]})


def of_action(execution: EmulatedExecution, run: ActionRun) -> None:
    kind = run.action.action_type_id
    said: dict[str, Any] = {
        "stage": run.stage,
        "action": run.action.name,
        "action-execution-id": run.id,
        "state": _STATES[run.status],
        "region": run.action.region or execution.place.region,
        "type": {name: getattr(kind, name) for name in ("owner", "category", "provider", "version")},
    }
    if run.outcome and run.outcome.error:
        code, message = run.outcome.error
        said["execution-result"] = {
            "error-code": code,
            "external-execution-summary": message,
            "external-execution-id": run.external_id,
        }
    _publish(execution, "Action", said)


def _publish(execution: EmulatedExecution, what: str, said: dict[str, Any]) -> None:
    partition = execution.pipeline.role_arn.split(":")[1]
    place = execution.place
    arn = f"arn:{partition}:codepipeline:{place.region}:{place.account}:{execution.pipeline.name}"
    kind = f"CodePipeline {what} Execution State Change"
    publish(Happening(place.account, place.region, "aws.codepipeline", kind, {**execution.detail(), **said}, [arn]))
