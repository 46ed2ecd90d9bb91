"""The tools as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.effects.tools.survey import FoundTool

_HEADINGS = ("TOOL", "VERSION", "PINNED", "SOURCE", "PATH")


def facts(finding: FoundTool) -> dict[str, str | None]:
    """One element of `tools --format json`."""
    tool = finding.tool
    return {
        "name": finding.name,
        "program": tool.name if tool else None,
        "version": tool.version if tool else None,
        "pinned": finding.pinned,
        "path": str(tool.path) if tool else None,
        "source": tool.source if tool else None,
        "state": "ready" if tool else "missing",
        "problem": finding.problem,
    }


def as_json(findings: Sequence[FoundTool]) -> str:
    return json.dumps([facts(finding) for finding in findings], indent=2)


def as_text(findings: Sequence[FoundTool]) -> str:
    """A table, and below it what is wrong and how to fix it."""
    rows = [_HEADINGS, *map(_row, findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    problems = [finding.problem for finding in findings if finding.problem]
    advice = ["", *problems, "`orchestrate tools install` installs what is missing, for you alone."] if problems else []
    return "\n".join(lines + advice)


def _row(finding: FoundTool) -> tuple[str, ...]:
    tool = finding.tool
    if tool is None:
        return (finding.name, "missing", finding.pinned, "-", "-")
    return (tool.name, tool.version, finding.pinned, tool.source, str(tool.path))
