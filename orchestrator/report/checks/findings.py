"""Reports of checks as text for people and as the fields of their JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from orchestrator.model.checks.check import CheckReport, Failure
from orchestrator.model.checks.finding import Finding, State

_MOST_SHOWN = 200
_MOST_MINOR = 20
_NOT_COUNTED: dict[State, str] = {
    "minor": "below the threshold",
    "skipped": "skipped",
    "baseline": "in the baseline",
}


def fields(report: CheckReport) -> dict[str, Any]:
    """One report as JSON."""
    states = Counter(finding.state for finding in report.findings)
    return {
        "check": report.check,
        "passed": report.passed,
        "root": report.root or ".",
        "settings": report.settings,
        "source": report.source,
        "cached": report.cached,
        "tools": dict(report.tools),
        "notes": list(report.notes),
        # No finding is overridden, a plan is; the key stays for the programs that read it.
        "summary": {**{state: states[state] for state in ("failing", *_NOT_COUNTED)}, "overridden": 0},
        "cases": None if report.cases is None else [msgspec.to_builtins(case) for case in report.cases],
        "findings": [_finding_fields(finding) for finding in report.findings],
    }


def _finding_fields(finding: Finding) -> dict[str, Any]:
    """Every field, so that a program need not ask which are there."""
    given: dict[str, Any] = msgspec.to_builtins(finding)
    return {name: given.get(name) for name in Finding.__struct_encode_fields__} | {"state": finding.state}


def as_json(reports: Sequence[CheckReport], failures: Sequence[Failure] = ()) -> str:
    """All reports of one run; `passed` is true only where every check came to its end and passed."""
    errors = [{"check": f.check, "root": f.root or ".", "error": str(f.error)} for f in failures]
    passed = bool(reports) and not failures and all(report.passed for report in reports)
    return json.dumps({"passed": passed, "reports": [fields(r) for r in reports], "errors": errors}, indent=2)


def as_text(report: CheckReport) -> str:
    """One report: what fails, with its line and how to fix it, then what does not count and why."""
    return "\n".join(_report_lines(report))


def all_as_text(reports: Sequence[CheckReport], failures: Sequence[Failure] = ()) -> str:
    """All reports of one run."""
    unfinished = [f"{f.check} did not finish ({f.root or '.'}): {f.error}" for f in failures]
    return "\n".join([*map(as_text, reports), *unfinished])


def headline(report: CheckReport) -> str:
    """One line: what was checked, how it ended, with which tools."""
    tools = [f"{name} {version}" for name, version in report.tools.items()]
    judged = [f"judged by {report.settings}"] if report.settings else []
    unchanged = ["unchanged since it was checked"] if report.cached else []
    about = ", ".join([*_tests(report), *judged, *tools, *unchanged])
    number = len(report.failing)
    ending = "passed" if report.passed else f"FAILED with {number} finding{'' if number == 1 else 's'}"
    return f"{report.check} {ending}: {report.root or '.'} ({about})"


def _tests(report: CheckReport) -> Iterator[str]:
    """How many tests there were, of a check that runs any."""
    if report.cases is not None:
        passed = sum(case.result == "passed" for case in report.cases)
        yield f"{passed} of {len(report.cases)} tests passed" if report.cases else "no tests"


def _report_lines(report: CheckReport) -> Iterator[str]:
    yield headline(report)
    yield from (f"  Warning: {note}" for note in report.notes)
    yield from _places(report.failing[:_MOST_SHOWN])
    if len(report.failing) > _MOST_SHOWN:
        yield f"  ... and {len(report.failing) - _MOST_SHOWN} more; --format json lists all"
    yield from _not_counted(report.findings)


def _places(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings grouped by file, each with its line and how to fix it."""
    ordered = sorted(findings, key=lambda f: (f.file or "", f.line or 0, f.rule))
    for file, group in groupby(ordered, key=lambda f: f.file or ""):
        yield ""
        yield f"  {file or '(no file)'}"
        for finding in group:
            yield from _finding_lines(finding)


def _finding_lines(finding: Finding) -> Iterator[str]:
    line = f"{finding.line}: " if finding.line else ""
    resource = f" ({finding.resource})" if finding.resource else ""
    yield f"    {line}{finding.severity}: {finding.message}{resource} [{finding.rule}]"
    for code in (finding.code or "").splitlines():
        yield f"        | {code}"
    if finding.reason:
        yield f"        {finding.reason}"
    if finding.remediation:
        yield f"        {finding.remediation}"
    if finding.link:
        yield f"        {finding.link}"


def _not_counted(findings: Sequence[Finding]) -> Iterator[str]:
    for state, words in _NOT_COUNTED.items():
        group = [finding for finding in findings if finding.state == state]
        if not group:
            continue
        yield f"  {len(group)} {words}:"
        for finding in group[:_MOST_MINOR]:
            why = f": {finding.reason}" if finding.reason else ""
            yield f"    {finding.place} {finding.rule}{why}"
        if len(group) > _MOST_MINOR:
            yield f"    ... and {len(group) - _MOST_MINOR} more"
