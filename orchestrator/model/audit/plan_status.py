"""What has become of a plan, as the ledger of its target has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from orchestrator.model.approval.approval import Answer
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release.receipt import PlanReceipt

State: TypeAlias = Literal[
    "applied", "failed", "apply unfinished", "recovered", "rejected", "unknown", "withdrawn", "expired", "waiting"
]
_ENDS: dict[str, State] = {
    "applied": "applied",
    "failed": "failed",
    "applying": "apply unfinished",
    "recovered": "recovered",
}


@dataclass(frozen=True)
class PlanStatus:
    """`at` and `by` say when and by whom it came to that; empty where time alone or nobody did."""

    state: State
    at: str = ""
    by: str = ""


def status(history: History, receipt: PlanReceipt, answers: Iterable[Answer], now: datetime) -> PlanStatus:
    """`unknown` is a plan of which the ledger says nothing: whoever made it was stopped before it was recorded."""
    own = [entry for entry in history.entries if entry.digest == receipt.digest]
    for entry in own:
        if entry.kind in _ENDS:
            return _because(_ENDS[entry.kind], entry)
    said_no: list[Entry | Answer] = [entry for entry in own if entry.kind == "rejected"]
    said_no += [answer for answer in answers if answer.kind == "rejected" and answer.digest == receipt.digest]
    if said_no:
        return _because("rejected", said_no[0])
    if not any(entry.kind == "planned" for entry in own):
        return PlanStatus("unknown")
    newest = history.newest("planned")
    if newest is not None and newest.digest != receipt.digest:
        return _because("withdrawn", newest)
    return PlanStatus("expired", receipt.expires_at) if receipt.expired(now) else PlanStatus("waiting")


def _because(state: State, of: Entry | Answer) -> PlanStatus:
    return PlanStatus(state, of.at, of.by)
