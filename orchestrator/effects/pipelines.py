"""CodePipeline: starts executions and asks who answered their approvals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.effects.aws import Session
from orchestrator.effects.patience import patiently

_Answer = TypeVar("_Answer")
# CodePipeline API reference, StartPipelineExecution, and AWS's common errors.
_LATER = (
    "ConcurrentPipelineExecutionsLimitExceededException",
    "ConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
)
_ROUNDS = 20
_SOURCE = "Source"


@dataclass(frozen=True)
class Start:
    """What an execution is started with; two starts with one token are one execution."""

    key: str
    version: str
    variables: Mapping[str, str]
    token: str


@dataclass(frozen=True)
class Approval:
    """The answer to one approval; `by` is an ARN, empty where CodePipeline does not tell."""

    action: str
    by: str
    approved: bool
    comment: str
    at: str


@dataclass(frozen=True)
class Pipelines:
    """The pipelines of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def start(self, name: str, what: Start) -> str:
        """The execution's id. Waits, for about five minutes, while AWS has no room for another execution."""
        with self.aws.explained("start the pipeline", name, env=self.env):
            answer = _in_time(
                lambda: self._client.start_pipeline_execution(
                    name=name,
                    variables=[{"name": key, "value": value} for key, value in what.variables.items()],
                    clientRequestToken=what.token,
                    sourceRevisions=[
                        {"actionName": _SOURCE, "revisionType": "S3_OBJECT_KEY", "revisionValue": what.key},
                        {"actionName": _SOURCE, "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": what.version},
                    ],
                )
            )
        return str(answer["pipelineExecutionId"])

    def variables(self, name: str, execution: str) -> dict[str, str]:
        """What an execution was started with."""
        with self.aws.explained("read the execution", f"{execution} of {name}", env=self.env):
            answer = self._client.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        found = answer["pipelineExecution"].get("variables", [])
        return {variable["name"]: variable["resolvedValue"] for variable in found}

    def approvals(self, name: str, execution: str) -> tuple[Approval, ...]:
        """The answers to an execution's approvals; those that nobody has answered yet are not among them."""
        return tuple(
            Approval(
                action=action["actionName"],
                by=action.get("updatedBy", ""),
                approved=action["status"] == "Succeeded",
                comment=action["output"].get("executionResult", {}).get("externalExecutionSummary", ""),
                at=action["lastUpdateTime"].isoformat(),
            )
            for action in self.actions(name, execution)
            if _is_approval(action) and action["status"] != "InProgress"
        )

    def waiting(self, name: str, execution: str) -> dict[str, Any] | None:
        """The first approval that nobody has answered yet."""
        open_ = [action for action in self.actions(name, execution) if _is_open_approval(action)]
        return min(open_, key=lambda action: str(action["actionName"]), default=None)

    def answer(self, name: str, waiting: Mapping[str, Any], *, approved: bool, reason: str) -> None:
        """Answers it; the token is where PARALLEL pipelines have it (API reference, PutApprovalResult)."""
        with self.aws.explained("answer the approval", f"{waiting['actionName']} of {name}", env=self.env):
            self._client.put_approval_result(
                pipelineName=name,
                stageName=waiting["stageName"],
                actionName=waiting["actionName"],
                result={"summary": reason[:512], "status": "Approved" if approved else "Rejected"},
                token=waiting["output"]["executionResult"]["externalExecutionId"],
            )

    def failed(self, name: str, execution: str) -> str:
        """What failed in an execution, for people."""
        for action in self.actions(name, execution):
            if action["status"] in ("Failed", "Abandoned"):
                result = action.get("output", {}).get("executionResult", {})
                told = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary", "")
                return f"{action['stageName']}: {told or action['status'].lower()}"
        return "it was stopped"

    def actions(self, name: str, execution: str) -> Iterator[dict[str, Any]]:
        with self.aws.explained("read the execution", f"{execution} of {name}", env=self.env):
            pages = self._client.get_paginator("list_action_executions").paginate(
                pipelineName=name, filter={"pipelineExecutionId": execution}
            )
            for page in pages:
                yield from page["actionExecutionDetails"]

    @property
    def _client(self) -> Any:
        client: Any = self.aws.client
        return client("codepipeline", self.region)


def _is_approval(action: Mapping[str, Any]) -> bool:
    return bool(action["input"]["actionTypeId"]["category"] == "Approval")


def _is_open_approval(action: Mapping[str, Any]) -> bool:
    return _is_approval(action) and action["status"] == "InProgress"


def _in_time(call: Callable[[], _Answer]) -> _Answer:
    from botocore.exceptions import ClientError

    for _ in range(_ROUNDS - 1):
        try:
            return patiently(call, _LATER)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LATER:
                raise
    return patiently(call, _LATER)
