"""What the types of the release settings cannot say: times and dates that are none, promotion in circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec.structs import replace

from orchestrator.errors import OrchestrateError
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.release_settings import Approval, Freeze, Window
from orchestrator.model.rules.tag import GLOBAL
from orchestrator.model.rules.windows import minutes, zone
from orchestrator.model.rules.yaml_source import Path, Problem, YamlSource
from orchestrator.model.text.quoting import did_you_mean, quoted


def release_problems(environments: Mapping[str, Environment], sources: Mapping[str, YamlSource]) -> Iterator[Problem]:
    """Of all environments that could be read."""
    for env, environment in environments.items():
        source = sources[env]
        for index, window in enumerate(environment.windows or []):
            yield from _window_problems(source, ("windows", index), window)
        for index, freeze in enumerate(environment.freeze):
            yield from _freeze_problems(source, ("freeze", index), freeze)
        yield from _approval_problems(source, environment.approval)
        yield from _break_glass_problems(source, environment)
        yield from _promotion_problems(source, env, environments)
        yield from _wave_problems(source, environment)


def _window_problems(source: YamlSource, path: Path, window: Window) -> Iterator[Problem]:
    yield from _zone_problems(source, path, window.timezone)
    if window.start == "24:00":
        yield source.problem((*path, "from"), 'a window cannot open at "24:00"; write "00:00" and the next day')
    elif minutes(window.start) == minutes(window.end):
        yield source.problem((*path, "to"), 'it closes when it opens; a whole day is from "00:00" to "24:00"')


def _freeze_problems(source: YamlSource, path: Path, freeze: Freeze) -> Iterator[Problem]:
    yield from _zone_problems(source, path, freeze.timezone)
    days = {name: _day(text) for name, text in (("from", freeze.start), ("to", freeze.end))}
    for name, day in days.items():
        if day is None:
            yield source.problem((*path, name), "the calendar has no such day")
    first, last = days.values()
    if first is not None and last is not None and last < first:
        yield source.problem((*path, "to"), "the last day is before the first")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _zone_problems(source: YamlSource, path: Path, name: str) -> Iterator[Problem]:
    try:
        zone(name)
    except OrchestrateError as error:
        from zoneinfo import available_timezones

        hint = did_you_mean(name, sorted(available_timezones())) or ""
        yield source.problem((*path, "timezone"), f"{error.message}. {hint}".strip())


def _approval_problems(source: YamlSource, approval: Approval) -> Iterator[Problem]:
    """Settings that would do nothing are a mistake: somebody relies on them."""
    settings = replace(approval, break_glass=None)  # it lifts windows too
    if not settings.required and settings != Approval():
        yield source.problem(("approval",), "it says how plans are approved, but not that they must be: required: true")


def _break_glass_problems(source: YamlSource, environment: Environment) -> Iterator[Problem]:
    approval = environment.approval
    if approval.break_glass is not None and environment.apply_from == "pipeline" and not approval.required:
        message = "the pipeline waits for nobody to break the glass: with apply_from: pipeline it needs required: true"
        yield source.problem(("approval", "break_glass"), message)
    for index, entry in enumerate(approval.break_glass.by if approval.break_glass is not None else []):
        if set(entry) == {"*"}:
            yield source.problem(("approval", "break_glass", "by", index), "anybody could break the glass; name a role")


def _promotion_problems(source: YamlSource, env: str, environments: Mapping[str, Environment]) -> Iterator[Problem]:
    origin = environments[env].promote_from
    if origin is None:
        return
    if origin not in environments:
        hint = did_you_mean(origin, [name for name in environments if name != env]) or ""
        yield source.problem(("promote_from",), f"there is no environment {quoted(origin)}. {hint}".strip())
    elif env in _origins(env, environments):
        yield source.problem(("promote_from",), f"promotion goes in a circle: {env} is promoted from itself")


def _wave_problems(source: YamlSource, environment: Environment) -> Iterator[Problem]:
    """Every Region stands in exactly one wave: one that was forgotten would never be released to."""
    known = (GLOBAL, *environment.regions)
    seen: set[str] = set()
    for index, wave in enumerate(environment.waves or []):
        for place, scope in enumerate(wave):
            path = ("waves", index, place)
            if scope not in known:
                hint = did_you_mean(scope, known) or ""
                yield source.problem(path, f"{quoted(scope)} is no Region of this environment. {hint}".strip())
            elif scope in seen:
                yield source.problem(path, f"{scope} is in a wave already")
            seen.add(scope)
    for region in environment.regions if environment.waves is not None else []:
        if region not in seen:
            yield source.problem(("waves",), f"the Region {region} is in no wave")


def _origins(env: str, environments: Mapping[str, Environment]) -> set[str]:
    """All environments that a release has come through before it comes to `env`."""
    seen: set[str] = set()
    at = environments[env].promote_from
    while at is not None and at not in seen:
        seen.add(at)
        at = environments[at].promote_from if at in environments else None
    return seen
