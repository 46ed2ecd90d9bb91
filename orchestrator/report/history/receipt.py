"""A verified receipt with what is recorded of it, as text and as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.report.history.history import event_fields
from orchestrator.report.plan.head import shown_receipt
from orchestrator.report.plan.html import plan_html
from orchestrator.report.plan.markdown import plan_markdown
from orchestrator.report.plan.text import TextStyle, plan_text
from orchestrator.report.text.table import table
from orchestrator.stages.history.receipt_view import ReceiptView


def fields(shown: ReceiptView) -> dict[str, Any]:
    """`state` is what has become of the plan; `since` and `by` when, and by whom."""
    return {
        "digest": shown.receipt.digest,
        "verified": True,
        "stored": shown.url,
        "state": shown.status.state,
        "since": shown.status.at or None,
        "by": shown.status.by or None,
        "receipt": msgspec.to_builtins(shown.receipt),
        "events": [event_fields(event) for event in shown.events],
    }


def page(shown: ReceiptView, form: str) -> str:
    """The plan as markdown or as HTML."""
    plan = shown_receipt(shown.receipt)
    return plan_markdown(plan) if form == "markdown" else plan_html(plan)


def text(shown: ReceiptView, style: TextStyle) -> str:
    receipt, status = shown.receipt, shown.status
    since = f" {status.at}" if status.at else ""
    by = f" by {status.by}" if status.by else ""
    rows = [(e.entry.at, e.entry.kind, e.entry.by, e.summary) for e in shown.events]
    return "\n".join(
        [
            plan_text(shown_receipt(receipt), style),
            f"  planned {receipt.planned_at} by {receipt.planned_by}, with {receipt.program}",
            f"  rules   {receipt.rules_commit}",
            f"  stored  {shown.url}: its bytes have the digest",
            f"  state   {status.state}{since}{by}",
            *([f"          `orchestrate gates --tag {receipt.tag}` shows what it needs"] * (status.state == "waiting")),
            "",
            table(("AT", "WHAT", "BY", "SUMMARY"), rows),
        ]
    )
