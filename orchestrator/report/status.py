"""Status and history of targets as tables and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from orchestrator.model.approval import Answer, copy_of
from orchestrator.model.ledger import Entry
from orchestrator.stages.status import TargetHistory, TargetStatus


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def status_text(found: Sequence[TargetStatus]) -> str:
    head = ("ENV", "TEAM", "SCOPE", "VERSION", "COMMIT", "SINCE", "STATE")
    return "\n".join([table(head, (_row(status) for status in found)), *_due(found)])


def _due(found: Sequence[TargetStatus]) -> list[str]:
    """Every broken glass that somebody must still follow up."""
    return [
        f"BREAK-GLASS {broken.tag}, {broken.at}, {broken.by}: {broken.reason}\n"
        f"  told: {broken.notified}\n"
        f"  follow-up due: orchestrate follow-up --tag {broken.tag} --note ..."
        for status in found
        for broken in status.follow_ups
    ]


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
        "follow_ups": msgspec.to_builtins(status.follow_ups),
    }


def history_text(found: Sequence[TargetHistory]) -> str:
    head = ("AT", "TAG", "WHAT", "COMMIT", "PLAN", "BY")
    return table(head, (_event(each) for each in _in_order(found)))


def _in_order(found: Sequence[TargetHistory]) -> list[Entry | Answer]:
    """An answer that is not in the chain yet comes after the entries of its second: it is to one of them."""
    events: list[Entry | Answer] = [entry for each in found for entry in each.history.entries]
    events += [answer for each in found for answer in each.answers]
    return sorted(events, key=lambda e: (e.at, e.target, e.seq if isinstance(e, Entry) else sys.maxsize))


def _event(event: Entry | Answer) -> tuple[str, ...]:
    return (event.at, event.tag, _what(event), event.commit[:12], (event.digest or "-")[:16], event.by)


def _what(event: Entry | Answer) -> str:
    if isinstance(event, Answer):
        return event.kind
    if event.kind == "checked":
        return f"{event.detail.get('check')} {'passed' if event.detail.get('passed') else 'failed'}"
    return str(event.detail.get("result", event.kind)) if event.kind == "applied" else event.kind


def history_fields(found: Sequence[TargetHistory]) -> dict[str, Any]:
    """An answer that is not in the chain yet has neither number nor hash."""
    return {"entries": [_event_fields(event) for event in _in_order(found)]}


def _event_fields(event: Entry | Answer) -> dict[str, Any]:
    if isinstance(event, Entry):
        return {**msgspec.to_builtins(event), "hash": event.hash}
    fields: dict[str, Any] = msgspec.to_builtins(copy_of(event))
    return {"target": event.target, "seq": None, "at": event.at, **fields, "previous": None, "hash": None}
