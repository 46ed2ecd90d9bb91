"""CodePipeline's executions really run. In moto they succeed at once, without stages, actions and approvals."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

from moto.codepipeline.responses import CodePipelineResponse
from moto.core.responses import ActionResult, EmptyResult

from orchestrate_sandbox.moto_additions.callers import arns_of_caller
from orchestrate_sandbox.moto_additions.pages_of_results import page_of
from orchestrate_sandbox.moto_additions.pipelines import existing
from orchestrate_sandbox.moto_additions.requests import Invalid, checked
from orchestrate_sandbox.pipeline import execution_views as views
from orchestrate_sandbox.pipeline import executions
from orchestrate_sandbox.pipeline.definition import read
from orchestrate_sandbox.pipeline.execution import ActionPlace, ActionRun, EmulatedExecution, Stop
from orchestrate_sandbox.pipeline.place import settings


def apply() -> None:
    CodePipelineResponse.start_pipeline_execution = _throttled(_start)
    CodePipelineResponse.stop_pipeline_execution = _stop
    CodePipelineResponse.retry_stage_execution = _retry
    CodePipelineResponse.put_approval_result = _approve
    CodePipelineResponse.disable_stage_transition = _shut
    CodePipelineResponse.enable_stage_transition = _open
    CodePipelineResponse.get_pipeline_state = _state
    CodePipelineResponse.get_pipeline_execution = _throttled(_get)
    CodePipelineResponse.list_pipeline_executions = _throttled(_list)
    CodePipelineResponse.list_action_executions = _throttled(_list_actions)


def _throttled(answer: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    """AWS refuses what comes too often, here a share of everything: clients have to try again."""

    def answer_or_refuse(self: Any) -> ActionResult:
        if random.random() < settings().throttled_share:  # noqa: S311 - any chance will do
            raise Invalid("ThrottlingException", "Rate exceeded")
        return answer(self)

    return answer_or_refuse


def _start(self: Any) -> ActionResult:
    wanted = checked(self)
    stored = existing(self, wanted["name"])
    trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": _caller(self)}
    try:
        execution = executions.start(stored, ActionPlace(self.current_account, self.region), wanted, trigger)
    except executions.ApiError as refused:
        raise Invalid(refused.code, str(refused)) from None
    return ActionResult({"pipelineExecutionId": execution.id})


def _stop(self: Any) -> ActionResult:
    wanted = checked(self)
    execution = _execution(self, wanted, code="PipelineExecutionNotStoppableException")
    try:
        executions.stop(execution, Stop(wanted.get("reason", ""), bool(wanted.get("abandon"))))
    except executions.ApiError as refused:
        raise Invalid(refused.code, str(refused)) from None
    return ActionResult({"pipelineExecutionId": execution.id})


def _retry(self: Any) -> ActionResult:
    wanted = checked(self)
    execution = _execution(self, wanted, code="NotLatestPipelineExecutionException")
    _stage(execution, wanted["stageName"])
    try:
        executions.retry(execution, wanted["stageName"], wanted["retryMode"])
    except executions.ApiError as refused:
        raise Invalid(refused.code, str(refused)) from None
    return ActionResult({"pipelineExecutionId": execution.id})


def _approve(self: Any) -> ActionResult:
    wanted = checked(self)
    run, execution = _asked(self, wanted)
    if run.outcome is not None:
        raise Invalid("ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected.")
    result = wanted["result"]
    approved = result["status"] == "Approved"
    executions.approve(execution, run, approved=approved, summary=result["summary"], by=_caller(self))
    return ActionResult({"approvedAt": dt.datetime.now(dt.UTC)})


def _asked(response: Any, wanted: dict[str, Any]) -> tuple[ActionRun, EmulatedExecution]:
    stored = existing(response, wanted["pipelineName"])
    stage = read(stored.pipeline).stage(wanted["stageName"])
    if stage is None:
        raise Invalid("StageNotFoundException", f"The pipeline has no stage {wanted['stageName']}")
    if wanted["actionName"] not in [action.name for action in stage.actions]:
        raise Invalid("ActionNotFoundException", f"The stage {stage.name} has no action {wanted['actionName']}")
    for execution in executions.executions_of(stored).by_id.values():
        for run in execution.history:
            names = (run.stage, run.action.name, run.token)
            if names == (wanted["stageName"], wanted["actionName"], wanted["token"]) and run.is_approval:
                return run, execution
    raise Invalid("InvalidApprovalTokenException", "The approval request already received a response or has expired.")


def _shut(self: Any) -> EmptyResult:
    wanted = checked(self)
    shut = {
        "enabled": False,
        "lastChangedBy": _caller(self),
        "lastChangedAt": dt.datetime.now(dt.UTC),
        "disabledReason": wanted["reason"],
    }
    executions.transition(_with_stage(self, wanted), wanted["stageName"], shut)
    return EmptyResult()


def _open(self: Any) -> EmptyResult:
    wanted = checked(self)
    executions.transition(_with_stage(self, wanted), wanted["stageName"], None)
    return EmptyResult()


def _with_stage(response: Any, wanted: dict[str, Any]) -> Any:
    stored = existing(response, wanted["pipelineName"])
    if read(stored.pipeline).stage(wanted["stageName"]) is None:
        raise Invalid("StageNotFoundException", f"The pipeline has no stage {wanted['stageName']}")
    return stored


def _state(self: Any) -> ActionResult:
    stored = existing(self, checked(self)["name"])
    kept = executions.executions_of(stored)
    return ActionResult(
        {
            "pipelineName": stored.pipeline["name"],
            "pipelineVersion": stored.pipeline["version"],
            "created": stored._created,
            "updated": stored._updated,
            "stageStates": views.stages(read(stored.pipeline), kept),
        }
    )


def _get(self: Any) -> ActionResult:
    execution = _execution(self, checked(self), code="PipelineExecutionNotFoundException")
    return ActionResult({"pipelineExecution": views.execution(execution)})


def _list(self: Any) -> ActionResult:
    """Newest first."""
    wanted = checked(self)
    kept = executions.executions_of(existing(self, wanted["pipelineName"])).by_id.values()
    stage = ((wanted.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
    found = [one for one in kept if stage is None or one.stages[stage].status == "Succeeded"]
    page, token = page_of(found[::-1], wanted)
    return ActionResult({"pipelineExecutionSummaries": list(map(views.summary, page)), "nextToken": token})


def _list_actions(self: Any) -> ActionResult:
    """Newest first."""
    wanted = checked(self)
    kept = executions.executions_of(existing(self, wanted["pipelineName"])).by_id
    wished = (wanted.get("filter") or {}).get("pipelineExecutionId")
    if wished is not None and wished not in kept:
        raise Invalid("PipelineExecutionNotFoundException", f"There is no execution {wished}")
    chosen = kept.values() if wished is None else [kept[wished]]
    runs = [(run, execution) for execution in chosen for run in list(execution.history)]
    runs.sort(key=lambda pair: pair[0].began, reverse=True)
    page, token = page_of(runs, wanted)
    return ActionResult({"actionExecutionDetails": [views.action(*pair) for pair in page], "nextToken": token})


def _execution(response: Any, wanted: dict[str, Any], *, code: str) -> EmulatedExecution:
    stored = existing(response, wanted["pipelineName"])
    found = executions.executions_of(stored).by_id.get(wanted["pipelineExecutionId"])
    if found is None:
        raise Invalid(code, f"The pipeline has no execution {wanted['pipelineExecutionId']}")
    return found


def _stage(execution: EmulatedExecution, name: str) -> None:
    if name not in execution.stages:
        raise Invalid("StageNotFoundException", f"The pipeline has no stage {name}")


def _caller(response: Any) -> str:
    """The session, where it is one."""
    return min(arns_of_caller(response), key=lambda arn: ":sts:" not in arn)
