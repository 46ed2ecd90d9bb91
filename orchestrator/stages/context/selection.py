"""Which targets a command is about."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target, all_targets
from orchestrator.model.text.quoting import did_you_mean

REFUSED = "_refused"
"""In the place of a target, in each environment's ledger: where tags are recorded that name none."""


@dataclass(frozen=True)
class Selection:
    """Which targets are meant; None is all."""

    env: str | None = None
    team: str | None = None
    scope: str | None = None

    def of(self, rules: Rules) -> list[Target]:
        """Raises InvalidInput where no target is meant."""
        found = [target for target in all_targets(rules) if self._holds(target.env, target.team, target.scope)]
        if not found:
            asked = " ".join(f"--{name} {value}" for name, value in vars(self).items() if value is not None)
            hint = (
                did_you_mean(self.env, rules.environments) if self.env and self.env not in rules.environments else None
            )
            raise InvalidInput(f"no target matches {asked}", hint=hint or "`orchestrate targets` lists them all.")
        return found

    @property
    def whole_environment(self) -> bool:
        """Whether also what names no target is meant."""
        return self.team is None and self.scope is None

    def names(self, target: str, env: str) -> bool:
        """Whether a target of that environment is meant, by its id; the rules may not know it any more."""
        if target == REFUSED:
            return self.whole_environment
        team, _, where = target.partition("/")
        return where.startswith(f"{env}-") and self._holds(env, team, where.removeprefix(f"{env}-"))

    def _holds(self, env: str, team: str, scope: str) -> bool:
        wanted = ((self.env, env), (self.team, team), (self.scope, scope))
        return all(asked in (None, have) for asked, have in wanted)
