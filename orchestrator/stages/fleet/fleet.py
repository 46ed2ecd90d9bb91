"""Many releases at once: what is begun is followed until nothing goes on by itself.

How one is begun and looked at is a lane's business: `fleet_here` runs processes, `fleet_aws` asks the pipelines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput, OrchestrateError
from orchestrator.model.release import fleet
from orchestrator.model.release.fleet import Course
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.tags.resolve import parsed, resolve

Tell = Callable[[str], None]


class Lane(Protocol):
    """Where releases run."""

    def begin(self, course: Course) -> Course:
        """Unchanged where there is no room for it yet; raises what speaks against this one release."""

    def look(self, courses: Sequence[Course]) -> Sequence[Course]:
        """The same courses, as they are by now."""

    def pause(self, *, news: bool) -> None:
        """Until it is worth looking again; `news` says whether the last look has shown any."""

    def leave(self, courses: Sequence[Course]) -> Sequence[Course]:
        """The person has stopped us: what becomes of those that are under way."""


@dataclass(frozen=True)
class Chosen:
    """What the patterns mean: a course for every tag, and the release of each that can be released."""

    courses: tuple[Course, ...]
    releases: dict[str, Release]
    rules: Rules

    @property
    def project(self) -> str:
        """As the folder of the project's workspaces is called."""
        return f"{self.rules.project.state.prefix}-{self.rules.project.tooling.account}"


@dataclass(frozen=True)
class Way:
    """So many at a time; `wait` goes on while approvals are waited for."""

    parallel: int
    wait: bool


@dataclass(frozen=True)
class Outcome:
    """What became of all of them."""

    courses: tuple[Course, ...]
    interrupted: bool = False

    @property
    def code(self) -> int:
        return 130 if self.interrupted else fleet.exit_code(self.courses)


def choose(repository: Repository, patterns: Sequence[str], rules_ref: str | None, tell: Tell) -> Chosen:
    """The tags that match, by environment, wave and name. One that may not be released does not stop the others.

    Raises InvalidInput where a pattern matches nothing and UsageError for two versions of one target.
    """
    names = _names(repository, patterns, tell)
    rules = repository.rules(repository.rules_commit(rules_ref))
    tags = {name: Tag.parse(name) for name in names}
    fleet.check_targets(tags.values())
    courses: list[Course] = []
    releases: dict[str, Release] = {}
    for name, tag in tags.items():
        course = Course(name, tag.env, "", "", 0)
        try:
            place = locate(tag, rules)
            course = replace(course, target=place.id, wave=fleet.wave_of(rules.environments[tag.env], tag.scope))
            releases[name] = resolve(repository, name, rules_ref)
            courses.append(replace(course, commit=releases[name].commit))
        except OrchestrateError as error:
            courses.append(course.ended(error))
    courses.sort(key=lambda course: (course.env, course.wave, course.tag))
    return Chosen(tuple(courses), releases, rules)


def _names(repository: Repository, patterns: Sequence[str], tell: Tell) -> list[str]:
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


def follow(courses: Sequence[Course], lane: Lane, way: Way, tell: Tell) -> Outcome:
    """Begins them in their order and follows all; Ctrl-C ends the following, and the lane says what that means."""
    now = {course.tag: course for course in courses}
    try:
        while not _is_over(now, lane, way, tell):
            pass
    except KeyboardInterrupt:
        now |= {course.tag: course for course in lane.leave(list(now.values()))}
        return Outcome(tuple(now.values()), interrupted=True)
    return Outcome(tuple(now.values()))


def _is_over(now: dict[str, Course], lane: Lane, way: Way, tell: Tell) -> bool:
    """One round; `now` is brought up to date."""
    before = dict(now)
    for course in _ready(now, way):
        now[course.tag] = _begun(lane, course)
    _say(before, now, tell)
    begun = dict(now)
    now |= {course.tag: course for course in lane.look([c for c in now.values() if c.moving or c.waiting])}
    _say(begun, now, tell)
    news = now != before
    if not news and fleet.rests(now.values(), wait=way.wait) and not (way.wait and _ready(now, way)):
        return True
    lane.pause(news=news)
    return False


def _ready(now: dict[str, Course], way: Way) -> list[Course]:
    return fleet.startable(list(now.values()), way.parallel)


def _begun(lane: Lane, course: Course) -> Course:
    try:
        return lane.begin(course)
    except OrchestrateError as error:
        return course.ended(error)


def _say(before: dict[str, Course], now: dict[str, Course], tell: Tell) -> None:
    """A line for each that has come further."""
    ended = sum(course.code is not None for course in now.values())
    for tag, course in now.items():
        old = before[tag]
        if (course.stage, course.code) != (old.stage, old.code):
            tell(f"[{ended}/{len(now)}] {tag}: {course.stage if course.moving else course.result}")
