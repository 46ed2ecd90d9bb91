"""One build of CodeBuild: what was asked for, what has become of it, and how the API tells it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrate_sandbox.pipeline.place import settings

RUNNING = "IN_PROGRESS"


@dataclass(frozen=True)
class Artifact:
    """An object in an artifact store, by the name that a pipeline has for it. `revision` is its source's."""

    name: str
    bucket: str
    key: str
    revision: str | None = None

    @property
    def location(self) -> str:
        return f"{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Order:
    """What a build is started with. `project` is as stored, with the overrides applied; inputs: the primary first."""

    project: dict[str, Any]
    number: int
    initiator: str
    source_version: str | None = None
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()


@dataclass
class BuildPhase:
    """`status` is None while it lasts."""

    type: str
    began: dt.datetime
    ended: dt.datetime | None = None
    status: str | None = None
    context: tuple[str, str] | None = None  # code and message

    def view(self) -> dict[str, Any]:
        seconds = int((self.ended - self.began).total_seconds()) if self.ended else None
        code, message = self.context or ("", "")
        return {
            "phaseType": self.type,
            "phaseStatus": self.status,
            "startTime": self.began,
            "endTime": self.ended,
            "durationInSeconds": seconds,
            "contexts": [{"statusCode": code, "message": message}] if self.ended else None,
        }


@dataclass
class EmulatedBuild:
    """Written by the thread that runs it alone; `stopped` and `listeners` by anyone."""

    order: Order
    uuid: str
    status: str = RUNNING
    began: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    ended: dt.datetime | None = None
    phases: list[BuildPhase] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    resolved_version: str | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    listeners: list[Callable[[EmulatedBuild], None]] = field(default_factory=list)

    @property
    def project(self) -> dict[str, Any]:
        return self.order.project

    @property
    def id(self) -> str:
        return f"{self.project['name']}:{self.uuid}"

    @property
    def region(self) -> str:
        return str(self.project["arn"].split(":")[3])

    @property
    def account(self) -> str:
        return str(self.project["arn"].split(":")[4])

    @property
    def arn(self) -> str:
        return f"{self.project['arn'].rpartition(':project/')[0]}:build/{self.id}"

    @property
    def log_group(self) -> str:
        return str(self._cloudwatch.get("groupName") or f"/aws/codebuild/{self.project['name']}")

    @property
    def log_stream(self) -> str:
        prefix = self._cloudwatch.get("streamName")
        return f"{prefix}/{self.uuid}" if prefix else self.uuid

    @property
    def logs_wanted(self) -> bool:
        return bool(self._cloudwatch.get("status", "ENABLED") == "ENABLED")

    @property
    def limit_seconds(self) -> float:
        return float(self.project["timeoutInMinutes"]) * settings().minute_seconds

    @property
    def _cloudwatch(self) -> dict[str, Any]:
        found: dict[str, Any] = self.project.get("logsConfig", {}).get("cloudWatchLogs", {})
        return found

    def enter(self, phase: str) -> BuildPhase:
        entered = BuildPhase(phase, dt.datetime.now(dt.UTC))
        self.phases.append(entered)
        return entered

    def view(self) -> dict[str, Any]:
        """The API's structure Build."""
        kept = ("source", "cache", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes")
        return {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.order.number,
            "startTime": self.began,
            "endTime": self.ended,
            "currentPhase": self.phases[-1].type if self.phases else "SUBMITTED",
            "buildStatus": self.status,
            "buildComplete": self.ended is not None,
            "sourceVersion": self.order.source_version,
            "resolvedSourceVersion": self.resolved_version,
            "projectName": self.project["name"],
            "phases": [phase.view() for phase in list(self.phases)],
            "artifacts": {"location": self.order.outputs[0].location if self.order.outputs else ""},
            "logs": self._logs_view(),
            "initiator": self.order.initiator,
            "encryptionKey": self.project["encryptionKey"],
            "exportedEnvironmentVariables": [{"name": k, "value": v} for k, v in self.exported.items()],
            "reportArns": list(self.reports),
            **{name: self.project.get(name) for name in kept},
        }

    def _logs_view(self) -> dict[str, Any]:
        partition = self.arn.split(":")[1]
        place = f"arn:{partition}:logs:{self.region}:{self.account}"
        return {
            "groupName": self.log_group,
            "streamName": self.log_stream,
            "cloudWatchLogsArn": f"{place}:log-group:{self.log_group}:log-stream:{self.log_stream}",
            "cloudWatchLogs": {"status": "ENABLED" if self.logs_wanted else "DISABLED"},
        }
