"""What speaks against a plan, once its checks and policies have been asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.model.checks.check import CheckReport
from orchestrator.model.checks.finding import Finding
from orchestrator.model.policy.policy import OVERRIDABLE

_SHOWN = 10


@dataclass(frozen=True)
class PolicyResult:
    """The reports on a plan that changes something."""

    reports: tuple[CheckReport, ...]

    @property
    def protected(self) -> tuple[str, ...]:
        """What the plan would destroy or replace only if somebody overrides that."""
        return tuple(sorted({finding.resource or "" for finding in self._failing if finding.rule in OVERRIDABLE}))

    def objection(self, tag: str) -> str | None:
        """What no override can set aside; such a plan is not even stored."""
        final = [finding for finding in self._failing if finding.rule not in OVERRIDABLE]
        if not final:
            return None
        return "\n".join([f"the plan of {tag} is refused by {_count(final)}:", *_lines(final)])

    @property
    def _failing(self) -> list[Finding]:
        return [finding for report in self.reports for finding in report.failing]


def _count(findings: Sequence[Finding]) -> str:
    return "one finding" if len(findings) == 1 else f"{len(findings)} findings"


def _lines(findings: Iterable[Finding]) -> list[str]:
    lines = [f"  {f.resource or f.place}: {f.message} ({f.rule})" for f in findings]
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"  and {len(lines) - _SHOWN} more"]
