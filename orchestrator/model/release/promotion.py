"""Promotion: a release must have run in the environment before, long enough and verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.rules.release_settings import Promotion
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import GLOBAL, Tag
from orchestrator.model.rules.target import Target, locate, scopes

Same = Callable[[str], bool]
"""Whether a commit is the same as the one to promote, in the sense that the rules ask for."""


def origins(rules: Rules, target: Target) -> tuple[Target, ...]:
    """Where a release to `target` must have run before: the same scope, or any Region of the team where that lacks it.

    Empty where the environment promotes from none, or from one that does not have the team.
    """
    env = rules.environments[target.env].promote_from
    team = rules.environments[env].teams.get(target.team) if env is not None else None
    if env is None or team is None:
        return ()
    there = scopes(rules.environments[env], team)
    wanted = (target.scope,) if target.scope in there else tuple(scope for scope in there if scope != GLOBAL)
    return tuple(locate(Tag.parse(f"{env}_{scope}/{target.team}/0.0"), rules) for scope in wanted)


@dataclass(frozen=True)
class DeploymentPeriod:
    """A time in which one source stood applied; `end` is when another one began to be applied, None until then."""

    applied: tuple[Entry, ...]
    end: datetime | None

    def lasted(self, now: datetime) -> timedelta:
        return (self.end or now) - datetime.fromisoformat(self.applied[0].at)

    def is_verified(self, history: History) -> bool:
        """`verify` passed for one of its applies, or the last one left nothing to verify."""
        if "verify_url" not in self.applied[-1].detail.get("outputs", {}):
            return True
        digests = {entry.digest for entry in self.applied}
        return any(entry.kind == "verified" and entry.digest in digests for entry in history.entries)


def stretches(history: History, same: Same) -> Iterator[DeploymentPeriod]:
    """The times in which the source stood applied, oldest first. A failed apply of another one ends such a time."""
    applied: list[Entry] = []
    for entry in reversed(history.entries):
        if entry.kind not in ("applying", "applied"):
            continue
        if same(entry.commit):
            applied += [entry] if entry.kind == "applied" else []
        elif applied:
            yield DeploymentPeriod(tuple(applied), datetime.fromisoformat(entry.at))
            applied = []
    if applied:
        yield DeploymentPeriod(tuple(applied), None)


def objection(history: History, same: Same, settings: Promotion, now: datetime) -> str | None:
    """Why what has happened there is not enough; the last time counts that comes nearest."""
    found = list(stretches(history, same))
    soak = timedelta(hours=settings.soak_hours)
    if not found:
        return f"the same {settings.same} has not been applied there"
    if not any(period.lasted(now) >= soak for period in found):
        longest = max(period.lasted(now) for period in found)
        return f"it has run there for {_hours(longest)}, and {settings.soak_hours} h are asked for"
    if settings.verified and not any(s.lasted(now) >= soak and s.is_verified(history) for s in found):
        return f"it has not been verified there (`orchestrate verify --tag {found[-1].applied[-1].tag}`)"
    return None


def _hours(time: timedelta) -> str:
    minutes = max(0, int(time.total_seconds())) // 60
    return f"{minutes // 60} h {minutes % 60:02} min"
