"""Releases in the pipelines of the tooling account: asked for by an event, followed in the ledger and in CodePipeline.

Who asks may do nothing but name a tag. The submit step does the rest, as for a tag that was just pushed: it clones
the repository itself, resolves and verifies the tag, and starts the execution. Whoever could write the source bundle
or start the execution themselves could bring their own rules with it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from orchestrator.effects.aws.events import Events
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.pipeline.builds import Build, Builds
from orchestrator.effects.pipeline.pipelines import UNDER_WAY, Pipelines
from orchestrator.errors import DependencyError, Refused, StageFailed
from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.release.fleet import RELEASED, WAITING, TargetRun
from orchestrator.model.release.release import Release
from orchestrator.model.rules import tooling
from orchestrator.model.rules.tooling import EnvironmentPipeline

PARALLEL = 20
"""How many run at the same time unless asked otherwise."""

_ROOM = 50  # CodePipeline's quota of executions at a time in one pipeline of the mode PARALLEL
_SHORTEST, _LONGEST = 1.0, 15.0  # seconds between two looks
_SUBMIT_SECONDS = 7200.0  # a queued build of the submit project, its own half hour, and an hour without room
_LOST = 10  # looks that may fail one after the other
_ATTEMPTS = 10  # at every request, with pauses that grow and are of random length (botocore's retry mode `standard`)
_NEWEST = 20  # entries of the ledger that are read for an answer


@dataclass(frozen=True)
class _Asked:
    """A release that was asked for: what the ledger says after that entry is the answer, until that moment."""

    after: int
    until: float
    builds: frozenset[str]  # of the submit step, made before


@dataclass
class OnAws:
    """The lane of the pipelines; `releases` by tag. `parallel` above 50 says that AWS has raised its quota."""

    releases: Mapping[str, Release]
    again: bool
    parallel: int
    _asked: dict[str, _Asked] = field(default_factory=dict)
    _statuses: dict[str, dict[str, str]] = field(default_factory=dict)
    _submits: dict[str, tuple[Build, ...]] = field(default_factory=dict)  # builds of submit, by pipeline
    _pause: float = _SHORTEST
    _failures: int = 0

    def begin(self, run: TargetRun) -> TargetRun:
        """One that has been submitted before is followed; what is not there yet is asked for."""
        release = self.releases[run.tag]
        history = self._ledger(release).history(run.target)
        found = _submitted(history.entries, release)
        if found is not None:
            seen = self._seen(replace(run, begun=True, execution=found))
            if not (self.again and seen.code not in (None, RELEASED, WAITING)):
                return seen
        if not self._has_room(_pipeline(release)):
            return replace(run, why=f"the pipeline has {self._room} executions, as many as AWS allows")
        last = 0 if history.last is None else history.last.seq
        before = frozenset(build.id for build in self._submit_builds(release))
        _ask(self._aws, release, attempt=found or "")
        self._asked[run.tag] = _Asked(last, time.monotonic() + _SUBMIT_SECONDS, before)
        return replace(run, begun=True, stage="Submit", why="")

    def look(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        """AWS may fail for a while, which changes nothing about the executions."""
        self._statuses.clear()
        self._submits.clear()
        try:
            seen = [self._look(run) for run in runs]
        except DependencyError:
            self._failures += 1
            if self._failures > _LOST:
                raise
            return runs
        self._failures = 0
        return seen

    def pause(self, *, news: bool) -> None:
        self._pause = _SHORTEST if news else min(_LONGEST, self._pause * 1.3)
        threading.Event().wait(self._pause * random.uniform(0.8, 1.2))  # noqa: S311 - no two followers in step

    def leave(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        """The executions go on without us."""
        return runs

    # One release ----------------------------------------------------------------------------------------------------

    def _look(self, run: TargetRun) -> TargetRun:
        if run.execution:
            return self._seen(run)
        try:
            return replace(run, execution=self._answer(run))
        except (Refused, StageFailed) as error:
            return run.ended(error)

    def _answer(self, run: TargetRun) -> str:
        """The execution that the submit step has started; empty as long as it has not."""
        asked, release = self._asked[run.tag], self.releases[run.tag]
        build = self._submit_build(run.tag)  # before the ledger is read: what it wrote is there when it has ended
        history = self._ledger(release).history(run.target, _NEWEST)
        newer = [entry for entry in history.entries if entry.seq > asked.after and entry.tag == run.tag]
        if (found := _submitted(newer, release)) is not None:
            return found
        for entry in newer:
            if entry.kind == "refused" and entry.detail.get("action") == "submit":
                raise Refused(str(entry.detail.get("reason")))
            if entry.kind == "stopped" and not entry.detail.get("execution"):
                raise StageFailed(f"it could not be started: {entry.detail.get('reason')}")
        if build is not None and build.failed:
            raise StageFailed(f"the submit step ended without an answer: build {build.id}, {build.status}: {build.why}")
        if time.monotonic() > asked.until:
            raise StageFailed(
                f"the submit step has not answered: see the builds of {_pipeline(release).submit_project}"
            )
        return ""

    def _submit_build(self, tag: str) -> Build | None:
        """The newest of those that were made since we asked; None as long as there is none."""
        before, builds = self._asked[tag].builds, self._submit_builds(self.releases[tag])
        return next((each for each in builds if each.id not in before and each.variables.get("TAG") == tag), None)

    def _submit_builds(self, release: Release) -> tuple[Build, ...]:
        """The newest first; asked for once in a round."""
        pipeline = _pipeline(release)
        if pipeline.name not in self._submits:
            client = Builds(self._aws, pipeline.region, pipeline.env)
            self._submits[pipeline.name] = client.of(client.newest(pipeline.submit_project))
        return self._submits[pipeline.name]

    def _seen(self, run: TargetRun) -> TargetRun:
        """As CodePipeline has it."""
        pipeline = _pipeline(self.releases[run.tag])
        client = Pipelines(self._aws, pipeline.region, pipeline.env)
        status = self._status(pipeline, run.execution)
        if status in UNDER_WAY:
            at = client.standing(pipeline.name, run.execution)
            return replace(run, stage=at.stage or run.stage, code=WAITING if at.waiting else None)
        if status == "Succeeded":
            return replace(run, stage="", code=RELEASED, why="")
        if not status:
            return run.ended(StageFailed("AWS no longer knows this execution: --again starts another"))
        why = client.failed(pipeline.name, run.execution)
        rejected = any(not answer.approved for answer in client.approvals(pipeline.name, run.execution))
        return run.ended(Refused(why) if rejected else StageFailed(why))

    def _status(self, pipeline: EnvironmentPipeline, execution: str) -> str:
        """Empty for an execution that AWS has forgotten; one request tells of many."""
        if execution not in self._statuses.get(pipeline.name, {}):
            self._read_statuses(pipeline, [execution])
        return self._statuses[pipeline.name].get(execution, "")

    def _has_room(self, pipeline: EnvironmentPipeline) -> bool:
        """So that an execution is not asked for in vain; whoever comes first in the meantime, submit waits for room."""
        if pipeline.name not in self._statuses:
            self._read_statuses(pipeline, [])
        running = sum(status in UNDER_WAY for status in self._statuses[pipeline.name].values())
        return running < self._room

    def _read_statuses(self, pipeline: EnvironmentPipeline, wanted: Sequence[str]) -> None:
        found = Pipelines(self._aws, pipeline.region, pipeline.env).statuses(pipeline.name, wanted)
        self._statuses[pipeline.name] = found

    @property
    def _room(self) -> int:
        return max(_ROOM, self.parallel)

    @cached_property
    def _aws(self) -> Session:
        """One session for all: every pipeline is in the tooling account."""
        project = next(iter(self.releases.values())).rules.project
        aws = Session(project.state.region, attempts=_ATTEMPTS)
        aws.require_account(project.tooling.account)
        return aws

    def _ledger(self, release: Release) -> Ledger:
        return Ledger.of(self._aws, release.target.stores, release.rules.project)


def _pipeline(release: Release) -> EnvironmentPipeline:
    return tooling.pipeline(release.rules, release.tag.env, release.target.stores.region)


def _submitted(entries: Sequence[Entry], release: Release) -> str | None:
    """The newest execution that submit has started for the tag."""
    for entry in entries:
        own = entry.kind == "submitted" and "source" in entry.detail
        if own and (entry.tag, entry.commit) == (str(release.tag), release.commit):
            return str(entry.detail["execution"])
    return None


def _ask(aws: Session, release: Release, attempt: str) -> None:
    """`attempt` is empty but for another execution of a tag that has had one: it then names the last one."""
    pipeline = _pipeline(release)
    detail = tooling.asked(str(release.tag), attempt)
    Events(aws, pipeline.region, pipeline.env).put(pipeline.asked_source, tooling.ASKED, detail)
