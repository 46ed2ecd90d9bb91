"""Starts builds, keeps them in order, and ends them: so many at a time, the others wait in a queue."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from orchestrate_sandbox.pipeline import runner, work
from orchestrate_sandbox.pipeline.build import EmulatedBuild, Order
from orchestrate_sandbox.pipeline.bus import Happening, publish
from orchestrate_sandbox.pipeline.place import settings

_lock = threading.RLock()
_waiting: deque[EmulatedBuild] = deque()
_running: set[str] = set()
_END_SECONDS = 10.0


class LimitExceeded(Exception):
    """As many builds of the project run or wait as it allows."""


@dataclass
class EmulatedBuilds:
    """The builds of an account in a Region, oldest first."""

    by_id: dict[str, EmulatedBuild] = field(default_factory=dict)
    by_token: dict[str, EmulatedBuild] = field(default_factory=dict)
    numbers: dict[str, itertools.count[int]] = field(default_factory=dict)

    def of_project(self, name: str) -> list[EmulatedBuild]:
        return [build for build in self.by_id.values() if build.project["name"] == name]


def builds_of(backend: Any) -> EmulatedBuilds:
    """Kept in moto's backend, so that a reset empties them."""
    found: EmulatedBuilds = backend.__dict__.setdefault("sandbox_builds", EmulatedBuilds())
    return found


def next_number(backend: Any, project: str) -> int:
    return next(builds_of(backend).numbers.setdefault(project, itertools.count(1)))


def start(backend: Any, order: Order, on_end: Callable[[EmulatedBuild], None] | None = None) -> EmulatedBuild:
    """Queued at once, run as soon as there is room. Raises LimitExceeded.

    `on_end` is called on a thread of its own.
    """
    with _lock:
        _check_limit(backend, order.project)
        build = EmulatedBuild(order, str(uuid4()))
        if on_end is not None:
            build.listeners.append(on_end)
        _pass_phase(build, "SUBMITTED")
        build.enter("QUEUED")
        builds_of(backend).by_id[build.id] = build
        _waiting.append(build)
    _tell(build)
    _fill()
    return build


def stop(build: EmulatedBuild) -> None:
    """A build that waits ends at once, one that runs within moments."""
    build.stopped.set()
    with _lock:
        if build in _waiting:
            _waiting.remove(build)
            _pass_phase(build, None, status="STOPPED")
            build.enter("COMPLETED")
            build.status, build.ended = "STOPPED", dt.datetime.now(dt.UTC)
            work.soon(lambda: _after_the_end(build))


def stop_all(within: float = _END_SECONDS) -> None:
    """For a reset and the end of the server; whatever listens for an end is not told."""
    with _lock:
        from moto.codebuild.models import codebuild_backends

        backends = [backend for account in codebuild_backends.values() for backend in account.values()]
        running = [build for backend in backends for build in builds_of(backend).by_id.values() if build.ended is None]
        for build in running:
            build.listeners.clear()
            build.stopped.set()
        _waiting.clear()
    ended = threading.Event()
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=within)
    while _running and dt.datetime.now(dt.UTC) < deadline:
        ended.wait(0.05)


def _check_limit(backend: Any, project: Mapping[str, Any]) -> None:
    limit = project.get("concurrentBuildLimit")
    active = [build for build in builds_of(backend).of_project(project["name"]) if build.ended is None]
    if limit is not None and len(active) >= limit:
        raise LimitExceeded(f"Cannot have more than {limit} builds in progress for project {project['name']}")


def _fill() -> None:
    with _lock:
        while _waiting and len(_running) < settings().concurrent_builds:
            build = _waiting.popleft()
            _running.add(build.uuid)
            _pass_phase(build, None)
            threading.Thread(target=_run, args=[build], name=build.id, daemon=True).start()


def _run(build: EmulatedBuild) -> None:
    try:
        work.run(lambda: runner.run(build))
    finally:
        with _lock:
            _running.discard(build.uuid)
        _fill()
        work.run(lambda: _after_the_end(build))


def _pass_phase(build: EmulatedBuild, name: str | None, status: str = "SUCCEEDED") -> None:
    """Enters the phase of that name, or takes the one that lasts, and leaves it."""
    phase = build.enter(name) if name else build.phases[-1]
    phase.ended, phase.status = dt.datetime.now(dt.UTC), status


def _after_the_end(build: EmulatedBuild) -> None:
    _tell(build)
    for listener in build.listeners:
        listener(build)


def _tell(build: EmulatedBuild) -> None:
    """Source: "Build notifications input format reference" (CodeBuild user guide)."""
    detail = {
        "build-status": build.status,
        "project-name": build.project["name"],
        "build-id": build.arn,
        "current-phase": build.phases[-1].type,
        "additional-information": {
            "initiator": build.order.initiator,
            "build-number": float(build.order.number),
            "build-complete": build.ended is not None,
            "source-version": build.order.source_version,
            "logs": {"group-name": build.log_group, "stream-name": build.log_stream, "deep-link": _log_link(build)},
        },
        "version": "1",
    }
    publish(
        Happening(build.account, build.region, "aws.codebuild", "CodeBuild Build State Change", detail, [build.arn])
    )


def _log_link(build: EmulatedBuild) -> str:
    console = f"https://console.aws.amazon.com/cloudwatch/home?region={build.region}"
    return f"{console}#logEvent:group={build.log_group};stream={build.log_stream}"
