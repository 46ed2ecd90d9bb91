"""One execution of a pipeline: what has become of each of its stages and actions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from orchestrate_sandbox.pipeline.build import Artifact
from orchestrate_sandbox.pipeline.definition import Action, PipelineDefinition
from orchestrate_sandbox.pipeline.variables import Namespaces

RUNNING, STOPPING = "InProgress", "Stopping"
SUCCEEDED, FAILED, STOPPED, SKIPPED = "Succeeded", "Failed", "Stopped", "Skipped"
ABANDONED, SUPERSEDED, CANCELLED = "Abandoned", "Superseded", "Cancelled"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def new_id() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class ActionOutcome:
    """How an action has ended."""

    status: str
    summary: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    error: tuple[str, str] | None = None  # code and message


@dataclass
class ActionRun:
    """One attempt at an action. `token` is what answers an approval: whoever sees that one waits has it."""

    action: Action
    stage: str
    id: str = field(default_factory=new_id)
    token: str = field(default_factory=new_id)
    began: dt.datetime = field(default_factory=now)
    changed: dt.datetime = field(default_factory=now)
    by: str | None = None
    outcome: ActionOutcome | None = None
    configuration: dict[str, str] = field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    external_id: str | None = None
    external_url: str | None = None
    log_stream_arn: str | None = None

    def __post_init__(self) -> None:
        if self.is_approval:
            self.external_id = self.token

    @property
    def status(self) -> str:
        return self.outcome.status if self.outcome else RUNNING

    @property
    def is_approval(self) -> bool:
        return self.action.action_type_id.category == "Approval"


@dataclass
class StageRun:
    """`status` is None before the stage is entered; `current` has the attempt that counts, by action."""

    name: str
    status: str | None = None
    current: dict[str, ActionRun] = field(default_factory=dict)
    retried_by_itself: bool = False

    def run_again(self, mode: str) -> None:
        """`mode` is RetryStageExecution's: FAILED_ACTIONS or ALL_ACTIONS."""
        kept = {name: run for name, run in self.current.items() if run.status == SUCCEEDED}
        self.current = kept if mode == "FAILED_ACTIONS" else {}
        self.status = RUNNING


@dataclass(frozen=True)
class Stop:
    reason: str
    abandon: bool


@dataclass(frozen=True)
class ActionPlace:
    account: str
    region: str


@dataclass
class Executions:
    """Of one pipeline, oldest first. `shut` has what is known of disabled transitions, by stage."""

    by_id: dict[str, EmulatedExecution] = field(default_factory=dict)
    by_token: dict[str, EmulatedExecution] = field(default_factory=dict)
    shut: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class EmulatedExecution:
    """`pipeline` is the definition at the start: a change concerns later executions."""

    pipeline: PipelineDefinition
    siblings: Executions
    place: ActionPlace
    number: int
    variables: dict[str, str]
    revisions: list[dict[str, str]]
    trigger: dict[str, str]
    id: str = field(default_factory=new_id)
    status: str = RUNNING
    summary: str | None = None
    began: dt.datetime = field(default_factory=now)
    changed: dt.datetime = field(default_factory=now)
    stages: dict[str, StageRun] = field(default_factory=dict)
    history: list[ActionRun] = field(default_factory=list)
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    stop: Stop | None = None
    waits_for: str | None = None

    def __post_init__(self) -> None:
        self.stages = {stage.name: StageRun(stage.name) for stage in self.pipeline.stages}

    @property
    def is_over(self) -> bool:
        return self.status not in (RUNNING, STOPPING)

    @property
    def namespaces(self) -> Namespaces:
        return {**self.outputs, "variables": self.variables, "codepipeline": {"PipelineExecutionId": self.id}}

    def revision(self, action: str, kind: str) -> str | None:
        """What StartPipelineExecution named for a source action."""
        wanted = (action, kind)
        found = [one["revisionValue"] for one in self.revisions if (one["actionName"], one["revisionType"]) == wanted]
        return found[0] if found else None

    def end(self, run: ActionRun, outcome: ActionOutcome) -> None:
        """What an action leaves counts only where it has succeeded."""
        run.outcome, run.changed = outcome, now()
        self.changed = run.changed
        if outcome.status == SUCCEEDED:
            self.artifacts |= {artifact.name: artifact for artifact in outcome.artifacts}
            if run.action.namespace:
                self.outputs[run.action.namespace] = dict(outcome.outputs)

    def waiting(self) -> list[EmulatedExecution]:
        """The others of this pipeline that wait to enter a stage."""
        return [other for other in self.siblings.by_id.values() if other is not self and other.waits_for is not None]

    def detail(self) -> dict[str, Any]:
        """What every event of this execution says."""
        return {"pipeline": self.pipeline.name, "execution-id": self.id, "version": float(self.pipeline.version)}
