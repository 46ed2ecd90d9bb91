"""Which targets the rules list."""

from __future__ import annotations

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target, all_targets
from orchestrator.model.text.quoting import did_you_mean, quoted


def list_targets(rules: Rules, env: str | None = None, team: str | None = None) -> tuple[Target, ...]:
    """All targets, or those of one environment or team; InvalidInput where there is no such environment or team."""
    targets = tuple(all_targets(rules))
    _check_known("environment", env, {target.env for target in targets})
    _check_known("team", team, {target.team for target in targets})
    found = tuple(each for each in targets if env in (None, each.env) and team in (None, each.team))
    if not found:
        raise InvalidInput(f"there is no team {quoted(str(team))} in environment {env}")
    return found


def _check_known(what: str, name: str | None, known: set[str]) -> None:
    if name is not None and name not in known:
        raise InvalidInput(f"there is no {what} {quoted(name)}", hint=did_you_mean(name, known))
