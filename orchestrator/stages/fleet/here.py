"""Releases on this machine: each in a process of its own, which writes to a log file of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.effects.system import process, run_events
from orchestrator.effects.system.host import EVENTS, ourselves
from orchestrator.effects.terraform.workspace import workspaces
from orchestrator.errors import OrchestrateError
from orchestrator.model.release.fleet import TargetRun

# Seconds: each step of a release has a limit of its own, so none takes that long; to stop, one may take so long.
_LIMIT, _GRACE = 7 * 86400.0, 300.0
_LOOK_SECONDS = 0.5


@dataclass
class Here:
    """The lane of this machine; `project` names the folder of its workspaces, `options` are every command's."""

    folder: Path
    project: str
    options: tuple[str, ...]
    env: Mapping[str, str]
    parallel: int
    _news: dict[str, TargetRun] = field(default_factory=dict)
    _running: dict[str, Future[None]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _told: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=self.parallel)

    def begin(self, run: TargetRun) -> TargetRun:
        log = workspaces(self.env) / self.project / "_releases" / f"{run.tag}.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _events(log).unlink(missing_ok=True)
        begun = replace(run, begun=True, stage="starting", log=str(log))
        self._news[run.tag] = begun
        self._running[run.tag] = self._pool.submit(self._run, begun)
        return begun

    def look(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        for run in runs:
            running = self._running.get(run.tag)
            if running is not None and running.done():
                running.result()  # raises what is a fault of ours
        return [self._told_by(self._news[run.tag]) if run.tag in self._news else run for run in runs]

    def _told_by(self, run: TargetRun) -> TargetRun:
        """With what the release has said of itself by now. Its exit code alone decides anything."""
        for event in run_events.noted(_events(Path(run.log))):
            run = event.of(run)
        return run

    def pause(self, *, news: bool) -> None:
        self._told.wait(_LOOK_SECONDS)
        self._told.clear()

    def leave(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        """They stop as they do for Ctrl-C: Terraform ends what it is at, saves the state and unlocks it."""
        self._stop.set()
        self._pool.shutdown(wait=True)
        return self.look(runs)

    def _run(self, run: TargetRun) -> None:
        log = Path(run.log)
        limits = process.TimeLimits(_LIMIT, _GRACE, self._stop.is_set)
        command = (*ourselves(), *self.options, "release", "--tag", run.tag)
        env = {**self.env, EVENTS: str(_events(log))}
        try:
            code = process.follow(command, cwd=self.folder, env=env, log=log, on_line=self._wake, limits=limits)
            self.note(run.tag, code=code)
        except OrchestrateError as error:
            self.note(run.tag, code=error.exit_code, why=str(error))

    def _wake(self, line: str) -> None:
        """It says something, so it may have come further."""
        self._told.set()

    def note(self, tag: str, **changes: str | int) -> None:
        self._news[tag] = replace(self._news[tag], **changes)  # type: ignore[arg-type]
        self._told.set()


def _events(log: Path) -> Path:
    """Where the release of that log says how far it has come."""
    return log.with_suffix(".jsonl")
