"""CodePipeline: starts executions and asks who answered their approvals."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from orchestrator.effects.aws.retry import code_of, ignoring
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError

_Answer = TypeVar("_Answer")
# CodePipeline API reference, StartPipelineExecution, and AWS's common errors.
_FULL = "ConcurrentPipelineExecutionsLimitExceededException"
_LATER = ("ConflictException", "RequestLimitExceeded", "ThrottlingException")
# Seconds: the longest pause between two attempts to start, and all of them together; a build of submit has 30 minutes.
_LONGEST_PAUSE, _PATIENCE = 30.0, 1200.0
_SOURCE = "Source"
UNDER_WAY = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Start:
    """What an execution is started with; two starts with one token are one execution."""

    key: str
    version: str
    variables: Mapping[str, str]
    token: str


class NoRoom(DependencyError):
    """AWS runs as many executions of the pipeline as it allows."""


@dataclass(frozen=True)
class ApprovalAnswer:
    """The answer to one approval; `by` is an ARN, empty where CodePipeline does not tell."""

    action: str
    by: str
    approved: bool
    comment: str
    at: str


@dataclass(frozen=True)
class ExecutionPosition:
    """Where an execution stands: its newest action's stage, and whether that is an approval nobody has answered."""

    stage: str
    waiting: bool


@dataclass(frozen=True)
class Pipelines:
    """The pipelines of one Region; `env` for hints."""

    aws: Session
    region: str
    env: str

    def start(self, name: str, what: Start) -> str:
        """The execution's id; NoRoom at once where AWS has no room for another execution.

        Nobody waits for room here: a build that waits is a build less for the executions that would make it.
        """
        request = {
            "name": name,
            "variables": [{"name": key, "value": value} for key, value in what.variables.items()],
            "clientRequestToken": what.token,
            "sourceRevisions": [
                {"actionName": _SOURCE, "revisionType": "S3_OBJECT_KEY", "revisionValue": what.key},
                {"actionName": _SOURCE, "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": what.version},
            ],
        }
        with self.aws.explained("start the pipeline", name, env=self.env):
            answer = _in_time(lambda: ignoring(lambda: self._client.start_pipeline_execution(**request), {_FULL}))
        if answer is None:
            raise NoRoom(f"AWS runs as many executions of {name} as it allows", hint="Try again when some have ended.")
        return str(answer["pipelineExecutionId"])

    def statuses(self, name: str, wanted: Collection[str]) -> dict[str, str]:
        """By execution, newest first: as many as are needed to find all that are wanted, one page at least."""
        found: dict[str, str] = {}
        with self.aws.explained("read the executions", name, env=self.env):
            pages = self._client.get_paginator("list_pipeline_executions").paginate(pipelineName=name)
            for page in pages:
                found |= {one["pipelineExecutionId"]: one["status"] for one in page["pipelineExecutionSummaries"]}
                if found.keys() >= set(wanted):
                    break
        return found

    def standing(self, name: str, execution: str) -> ExecutionPosition:
        """Actions of one stage may run side by side: an approval that is open is what one has to know of."""
        under_way = [action for action in self.actions(name, execution) if action["status"] == "InProgress"]
        asked = next((action for action in under_way if _is_approval(action)), None)
        newest = asked or next(iter(under_way), None)
        return ExecutionPosition(newest["stageName"] if newest else "", asked is not None)

    def variables(self, name: str, execution: str) -> dict[str, str]:
        """What an execution was started with."""
        with self.aws.explained("read the execution", f"{execution} of {name}", env=self.env):
            answer = self._client.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        found = answer["pipelineExecution"].get("variables", [])
        return {variable["name"]: variable["resolvedValue"] for variable in found}

    def approvals(self, name: str, execution: str) -> tuple[ApprovalAnswer, ...]:
        """The answers to an execution's approvals; those that nobody has answered yet are not among them."""
        return tuple(
            ApprovalAnswer(
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
    """Pauses are of random length: fifty builds that are refused at once must not come back at once."""
    from botocore.exceptions import ClientError

    until, pause = time.monotonic() + _PATIENCE, 1.0
    while True:
        try:
            return call()
        except ClientError as error:
            if code_of(error) not in _LATER or time.monotonic() > until:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - nothing depends on its being hard to guess
        pause = min(_LONGEST_PAUSE, pause * 2)
