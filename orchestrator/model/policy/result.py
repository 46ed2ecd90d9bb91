"""What speaks against a plan, once its checks and policies have been asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
        """Why the plan is not even stored; all findings are told elsewhere, here the first, and how many by rule."""
        if not self.final:
            return None
        return "\n".join([f"the plan of {tag} is refused by {_count(self.final)}:", *_lines(self.final)])

    @property
    def final(self) -> tuple[Finding, ...]:
        """What no override can set aside."""
        return tuple(finding for finding in self._failing if finding.rule not in OVERRIDABLE)

    @property
    def _failing(self) -> list[Finding]:
        return [finding for report in self.reports for finding in report.failing]


def _count(findings: Sequence[Finding]) -> str:
    return "one finding" if len(findings) == 1 else f"{len(findings)} findings"


def _lines(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for each in findings[:_SHOWN]:
        place = f" [{each.place}]" if each.resource and each.file else ""
        lines.append(f"  {each.resource or each.place}: {each.message} ({each.rule}){place}")
    if len(findings) > _SHOWN:
        counts = Counter(each.rule for each in findings).most_common()
        lines.append(f"  and {len(findings) - _SHOWN} more")
        lines.append(f"  by rule: {', '.join(f'{rule} {number}' for rule, number in counts)}")
    return lines
