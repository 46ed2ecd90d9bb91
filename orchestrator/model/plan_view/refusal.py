"""A plan that is refused for good: shown all the same, with every finding and the way on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta

from orchestrator.errors import StageFailed
from orchestrator.model.checks.finding import Finding
from orchestrator.model.plan_view.view import PlanView

_SKIP_DAYS = 90


class PlanRefused(StageFailed):
    """`view` is what was planned; `findings` are all that speak against it."""

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        super().__init__(message)
        self.findings = tuple(findings)
        self.tag = ""
        self.view: PlanView | None = None

    def tell(self, tag: str, view: PlanView, file: str, settings: str, today: date) -> None:
        """`file` holds all findings; `settings` is the file of rules where findings are accepted."""
        self.tag, self.view = tag, view
        lines = [f"All of it is in {file}.", "To correct it, change the code that the findings name."]
        entries = skip_entries(self.findings, today)
        if entries:
            lines += [f"To accept it, add to {settings} on the protected branch, with your reason:", entries]
        self.hint = "\n".join(lines)


def skip_entries(findings: Sequence[Finding], today: date) -> str:
    """As they stand in the rules of an environment: `checks.scan.skips` for the scan, `policy.skips` for the policy."""
    until = (today + timedelta(days=_SKIP_DAYS)).isoformat()
    scanned = [each for each in findings if each.check == "scan"]
    judged = [each for each in findings if each.check == "policy"]
    lines = ["checks:", "  scan:", "    skips:", *_entries(scanned, until, "      ")] if scanned else []
    lines += ["policy:", "  skips:", *_entries(judged, until, "    ")] if judged else []
    return "\n".join(lines)


def _entries(findings: Sequence[Finding], until: str, indent: str) -> list[str]:
    """One for each rule, of the one resource that it is about, where there is only one."""
    lines = []
    for rule in dict.fromkeys(each.rule for each in findings):
        resources = {each.resource for each in findings if each.rule == rule}
        only = resources.pop() if len(resources) == 1 else None
        about = f", resource: {json.dumps(only)}" if only else ""
        lines.append(f'{indent}- {{rule: {rule}{about}, reason: "...", expires: "{until}"}}')
    return lines
