"""What happened when, as a table and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.model.audit.timeline import Event, Row, rows
from orchestrator.report.history.status import not_bootstrapped_fields, not_bootstrapped_lines
from orchestrator.report.text.table import table
from orchestrator.stages.history.history import Found


def text(found: Found) -> str:
    head = ("AT", "TAG", "WHAT", "COMMIT", "PLAN", "BY", "SUMMARY")
    lines = not_bootstrapped_lines(found.not_bootstrapped)
    return "\n".join([table(head, (_row(row) for row in rows(found.events))), *lines])


def _row(row: Row) -> tuple[str, ...]:
    entry = row.event.entry
    digest = (entry.digest or "-")[:16]
    return (entry.at, entry.tag, entry.kind, entry.commit[:12] or "-", digest, entry.by, row.summary)


def fields(found: Found) -> dict[str, Any]:
    """`more` tells that older entries were left out (--limit)."""
    return {
        "entries": [event_fields(event) for event in found.events],
        "more": found.more,
        "not_bootstrapped": not_bootstrapped_fields(found.not_bootstrapped),
    }


def event_fields(event: Event) -> dict[str, Any]:
    """An answer that is not in the chain yet has neither number nor hash."""
    entry = event.entry
    own = msgspec.to_builtins(entry) | {"hash": entry.hash}
    if not event.in_chain:
        own |= dict.fromkeys(("seq", "id", "previous", "hash"))
    return {"env": event.place.env, **own, "summary": event.summary, "links": event.links}
