"""Many releases at once: what is begun is followed until nothing goes on by itself.

How one is begun and looked at is a lane's business: `fleet_here` runs processes, `fleet_aws` asks the pipelines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput, OrchestrateError
from orchestrator.model.release import fleet
from orchestrator.model.release.fleet import TargetRun
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.model.text.progress import Progress
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.context.tag_names import parsed
from orchestrator.stages.tags.resolve import resolve


class Executor(Protocol):
    """Where releases run."""

    def begin(self, run: TargetRun) -> TargetRun:
        """Unchanged where there is no room for it yet; raises what speaks against this one release."""

    def look(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        """The same courses, as they are by now."""

    def pause(self, *, news: bool) -> None:
        """Until it is worth looking again; `news` says whether the last look has shown any."""

    def leave(self, runs: Sequence[TargetRun]) -> Sequence[TargetRun]:
        """The person has stopped us: what becomes of those that are under way."""


@dataclass(frozen=True)
class Chosen:
    """What the patterns mean: a course for every tag, and the release of each that can be released."""

    runs: tuple[TargetRun, ...]
    releases: dict[str, Release]
    rules: Rules

    @property
    def project(self) -> str:
        """As the folder of the project's workspaces is called."""
        return f"{self.rules.project.state.prefix}-{self.rules.project.tooling.account}"


@dataclass(frozen=True)
class RunOptions:
    """`parallel` releases run at the same time; with `wait`, those that wait for an approval are waited for."""

    parallel: int
    wait: bool


@dataclass(frozen=True)
class FleetResult:
    """What became of all of them."""

    runs: tuple[TargetRun, ...]
    interrupted: bool = False

    @property
    def code(self) -> int:
        return 130 if self.interrupted else fleet.exit_code(self.runs)


def choose(repository: Repository, patterns: Sequence[str], rules_ref: str | None, tell: Progress) -> Chosen:
    """The tags that match, by environment, wave and name. One that may not be released does not stop the others.

    Raises InvalidInput where a pattern matches nothing and UsageError for two versions of one target.
    """
    names = _names(repository, patterns, tell)
    rules = repository.rules(repository.rules_commit(rules_ref))
    tags = {name: Tag.parse(name) for name in names}
    fleet.check_targets(tags.values())
    runs: list[TargetRun] = []
    releases: dict[str, Release] = {}
    for name, tag in tags.items():
        run = TargetRun(name, tag.env, "", "", 0)
        try:
            place = locate(tag, rules)
            run = replace(run, target=place.id, wave=fleet.wave_of(rules.environments[tag.env], tag.scope))
            releases[name] = resolve(repository, name, rules_ref)
            runs.append(replace(run, commit=releases[name].commit))
        except OrchestrateError as error:
            runs.append(run.ended(error))
    runs.sort(key=lambda run: (run.env, run.wave, run.tag))
    return Chosen(tuple(runs), releases, rules)


def _names(repository: Repository, patterns: Sequence[str], tell: Progress) -> list[str]:
    found: dict[str, None] = {}
    there: list[str] | None = None
    for pattern in patterns:
        if not fleet.is_pattern(pattern):
            found[pattern] = None
            continue
        there = repository.tag_names("*/*/*") if there is None else there
        matches = fleet.matching(pattern, there)
        tags = [name for name in matches if parsed(name) is not None]
        if len(tags) < len(matches):
            tell(f"{len(matches) - len(tags)} tags match {quoted(pattern)} and are no release tags; they are left out")
        if not tags:
            raise InvalidInput(
                f"no release tag matches {quoted(pattern)}",
                hint="Patterns are matched part by part: 'dev_*/research/1.0'. `git fetch --tags` brings new tags.",
            )
        found |= dict.fromkeys(tags)
    return list(found)


def follow(runs: Sequence[TargetRun], executor: Executor, way: RunOptions, tell: Progress) -> FleetResult:
    """Begins them in their order and follows all; Ctrl-C ends the following, and the lane says what that means."""
    now = {run.tag: run for run in runs}
    try:
        while not _is_over(now, executor, way, tell):
            pass
    except KeyboardInterrupt:
        now |= {run.tag: run for run in executor.leave(list(now.values()))}
        return FleetResult(tuple(now.values()), interrupted=True)
    return FleetResult(tuple(now.values()))


def _is_over(now: dict[str, TargetRun], executor: Executor, way: RunOptions, tell: Progress) -> bool:
    """One round; `now` is brought up to date."""
    before = dict(now)
    for run in _ready(now, way):
        now[run.tag] = _begun(executor, run)
    _say(before, now, tell)
    begun = dict(now)
    now |= {run.tag: run for run in executor.look([c for c in now.values() if c.moving or c.waiting])}
    _say(begun, now, tell)
    news = now != before
    if not news and fleet.rests(now.values(), wait=way.wait) and not (way.wait and _ready(now, way)):
        return True
    executor.pause(news=news)
    return False


def _ready(now: dict[str, TargetRun], way: RunOptions) -> list[TargetRun]:
    return fleet.startable(list(now.values()), way.parallel)


def _begun(executor: Executor, run: TargetRun) -> TargetRun:
    try:
        return executor.begin(run)
    except OrchestrateError as error:
        return run.ended(error)


def _say(before: dict[str, TargetRun], now: dict[str, TargetRun], tell: Progress) -> None:
    """A line for each that has come further."""
    ended = sum(run.code is not None for run in now.values())
    for tag, run in now.items():
        old = before[tag]
        if (run.stage, run.code) != (old.stage, old.code):
            tell(f"[{ended}/{len(now)}] {tag}: {run.stage if run.moving else run.result}")
