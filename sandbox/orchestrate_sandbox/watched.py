"""Follows the executions of a pipeline and tells each change of their actions, as a person would in the console."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

APPROVAL = "Approval"
_PAUSE = 0.5  # seconds
_OVER = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})


@dataclass(frozen=True)
class WatchedExecution:
    """`actions` are CodePipeline's structures ActionExecutionDetail, oldest first."""

    id: str
    tag: str
    status: str
    actions: tuple[dict[str, Any], ...]

    @property
    def is_over(self) -> bool:
        return self.status in _OVER

    @property
    def has_succeeded(self) -> bool:
        return self.status == "Succeeded"

    @property
    def waits_for_people(self) -> bool:
        return any(_category(one) == APPROVAL and one["status"] == "InProgress" for one in self.actions)

    @property
    def failure(self) -> str | None:
        """What the last failed action says."""
        failed = [one for one in self.actions if one["status"] == "Failed"]
        return f"{failed[-1]['actionName']}: {_summary(failed[-1])}" if failed else None


@dataclass
class ExecutionWatch:
    """`tell` gets one line for each change: when, of which tag, which action, what."""

    codepipeline: Any
    pipeline: str
    tell: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def until(
        self, tags: Collection[str], reached: Callable[[WatchedExecution], bool], *, seconds: float
    ) -> dict[str, WatchedExecution]:
        """The newest execution of each tag, when all have reached it; TimeoutError where they do not."""
        pause, deadline = threading.Event(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = {one.tag: one for one in self.executions() if one.tag in tags}
            for execution in found.values():
                self._tell_news(execution)
            if len(found) == len(tags) and all(reached(one) for one in found.values()):
                return found
            pause.wait(_PAUSE)
        raise TimeoutError(f"not within {seconds:g} s: {', '.join(sorted(tags))}")

    def executions(self) -> Iterator[WatchedExecution]:
        """Oldest first."""
        pages = self.codepipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=self.pipeline)
        ids = [one["pipelineExecutionId"] for page in pages for one in page["pipelineExecutionSummaries"]]
        for execution_id in reversed(ids):
            yield self._execution(execution_id)

    def _execution(self, execution_id: str) -> WatchedExecution:
        place = {"pipelineName": self.pipeline}
        found = self.codepipeline.get_pipeline_execution(**place, pipelineExecutionId=execution_id)["pipelineExecution"]
        variables = {one["name"]: one["resolvedValue"] for one in found["variables"]}
        wanted = {"pipelineExecutionId": execution_id}
        pages = self.codepipeline.get_paginator("list_action_executions").paginate(**place, filter=wanted)
        actions = [one for page in pages for one in page["actionExecutionDetails"]]
        return WatchedExecution(execution_id, variables.get("TAG", ""), found["status"], tuple(reversed(actions)))

    def _tell_news(self, execution: WatchedExecution) -> None:
        for action in execution.actions:
            if (news := (action["actionExecutionId"], action["status"])) not in self._told:
                self._told.add(news)
                what = f"{action['actionName']:9} {_in_words(action)}"
                self.tell(f"{time.monotonic() - self.began:5.0f} s  {execution.tag:33} {what}")


def _in_words(action: dict[str, Any]) -> str:
    if action["status"] == "InProgress":
        return "waits for a person" if _category(action) == APPROVAL else "..."
    by = f" by {action['updatedBy'].rpartition('/')[2]}" if action.get("updatedBy") else ""
    return f"{action['status'].lower()}{by}" + (f": {_summary(action)}" if action["status"] == "Failed" else "")


def _category(action: dict[str, Any]) -> str:
    return str(action["input"]["actionTypeId"]["category"])


def _summary(action: dict[str, Any]) -> str:
    result = action["output"]["executionResult"]
    return str((result.get("errorDetails") or {}).get("message") or result.get("externalExecutionSummary") or "")
