"""Status and history of targets as tables and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from orchestrator.model.ledger import Entry, History
from orchestrator.model.target import Target
from orchestrator.stages.status import TargetStatus


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def status_text(found: Sequence[TargetStatus]) -> str:
    head = ("ENV", "TEAM", "SCOPE", "VERSION", "COMMIT", "SINCE", "STATE")
    return table(head, (_row(status) for status in found))


def _row(status: TargetStatus) -> tuple[str, ...]:
    target, runs = status.target, status.runs
    state: str = status.state
    if status.newest is not None and status.newest is not runs:
        state += f" ({status.newest.tag.rpartition('/')[2]}, {status.newest.at})"
    since = (status.version or "-", runs.commit[:12], runs.at) if runs else ("-", "-", "-")
    return (target.env, target.team, target.scope, *since, state)


def status_fields(found: Sequence[TargetStatus]) -> dict[str, Any]:
    return {"targets": [_fields(status) for status in found]}


def _fields(status: TargetStatus) -> dict[str, Any]:
    target, runs = status.target, status.runs
    return {
        "env": target.env,
        "team": target.team,
        "scope": target.scope,
        "target": target.id,
        "tag": runs.tag if runs else None,
        "version": status.version,
        "commit": runs.commit if runs else None,
        "digest": runs.digest if runs else None,
        "applied_at": runs.at if runs else None,
        "applied_by": runs.by if runs else None,
        "state": status.state,
    }


def history_text(found: Sequence[tuple[Target, History]]) -> str:
    head = ("AT", "TAG", "WHAT", "COMMIT", "PLAN", "BY")
    return table(head, (_event(entry) for entry in _in_order(found)))


def _in_order(found: Sequence[tuple[Target, History]]) -> list[Entry]:
    entries = [entry for _, history in found for entry in history.entries]
    return sorted(entries, key=lambda entry: (entry.at, entry.target, entry.seq))


def _event(entry: Entry) -> tuple[str, ...]:
    return (entry.at, entry.tag, _what(entry), entry.commit[:12], (entry.digest or "-")[:16], entry.by)


def _what(entry: Entry) -> str:
    if entry.kind == "checked":
        return f"{entry.detail.get('check')} {'passed' if entry.detail.get('passed') else 'failed'}"
    return str(entry.detail.get("result", entry.kind)) if entry.kind == "applied" else entry.kind


def history_fields(found: Sequence[tuple[Target, History]]) -> dict[str, Any]:
    return {"entries": [{**msgspec.to_builtins(entry), "hash": entry.hash} for entry in _in_order(found)]}
