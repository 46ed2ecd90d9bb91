"""Reports of checks as Markdown, for the summary of a pipeline's run or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.model.checks.check import CheckReport, Failure
from orchestrator.model.checks.finding import Finding

_MOST_SHOWN = 50
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&$-])")


def as_markdown(reports: Sequence[CheckReport], failures: Sequence[Failure] = ()) -> str:
    return "\n".join(_lines(reports, failures)) + "\n"


def _lines(reports: Sequence[CheckReport], failures: Sequence[Failure]) -> Iterator[str]:
    yield "| check | root | result | failing | not counted |"
    yield "| --- | --- | --- | --- | --- |"
    for report in reports:
        other = len(report.findings) - len(report.failing)
        result = "passed" if report.passed else "**failed**"
        yield f"| {report.check} | {plain_text(report.root or '.')} | {result} | {len(report.failing)} | {other} |"
    for failure in failures:
        yield f"| {failure.check} | {plain_text(failure.root or '.')} | **did not finish** | | |"
    for failure in failures:
        yield f"\n**{failure.check} did not finish**: {plain_text(failure.error.message)}"
    for report in reports:
        yield from (f"\n**Warning**: {plain_text(note)}" for note in report.notes)
        yield from _findings(report)


def _findings(report: CheckReport) -> Iterator[str]:
    if not report.failing:
        return
    yield f"\n### {report.check}: {plain_text(report.root or '.')}\n"
    yield "| severity | rule | place | finding |"
    yield "| --- | --- | --- | --- |"
    yield from map(_row, report.failing[:_MOST_SHOWN])
    if len(report.failing) > _MOST_SHOWN:
        yield f"\nand {len(report.failing) - _MOST_SHOWN} more."


def _row(finding: Finding) -> str:
    rule = (
        f"[{plain_text(finding.rule)}]({finding.link.replace(')', '%29')})"
        if finding.link
        else plain_text(finding.rule)
    )
    what = " ".join(
        filter(None, [finding.message, f"({finding.resource})" if finding.resource else None, finding.remediation])
    )
    return f"| {finding.severity} | {rule} | {plain_text(finding.place)} | {plain_text(what)} |"


def plain_text(text: str) -> str:
    """Nothing in it is markup, a mention or a link."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
