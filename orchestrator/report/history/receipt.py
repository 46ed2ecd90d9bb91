"""A verified receipt with what is recorded of it, as text and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.report.history.history import event_fields
from orchestrator.report.release.stages import plan_text
from orchestrator.report.text.table import table
from orchestrator.stages.history.receipt_view import Shown


def fields(shown: Shown) -> dict[str, Any]:
    """`state` is what has become of the plan; `since` and `by` when, and by whom."""
    return {
        "digest": shown.receipt.digest,
        "verified": True,
        "stored": shown.url,
        "state": shown.fate.state,
        "since": shown.fate.at or None,
        "by": shown.fate.by or None,
        "receipt": msgspec.to_builtins(shown.receipt),
        "events": [event_fields(event) for event in shown.events],
    }


def text(shown: Shown) -> str:
    receipt, fate = shown.receipt, shown.fate
    since = f" {fate.at}" if fate.at else ""
    by = f" by {fate.by}" if fate.by else ""
    rows = [(e.entry.at, e.entry.kind, e.entry.by, e.summary) for e in shown.events]
    return "\n".join(
        [
            plan_text(receipt),
            f"  planned {receipt.planned_at} by {receipt.planned_by}, with {receipt.program}",
            f"  rules   {receipt.rules_commit}",
            f"  stored  {shown.url}: its bytes have the digest",
            f"  state   {fate.state}{since}{by}",
            "",
            table(("AT", "WHAT", "BY", "SUMMARY"), rows),
        ]
    )
