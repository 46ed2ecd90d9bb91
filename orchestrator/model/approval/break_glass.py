"""Which broken glass has not been followed up: somebody acted alone, and nobody has said yet what came of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.model.approval.approval import Answer
from orchestrator.model.ledger.ledger import Entry, History


class BrokenGlass(msgspec.Struct, frozen=True):
    """Somebody broke the glass for one plan; `notified` says who was told, or why nobody could be."""

    tag: str
    digest: str
    by: str
    at: str
    reason: str
    notified: str


def due(history: History, answers: Iterable[Answer] = ()) -> tuple[BrokenGlass, ...]:
    """Those of a target that are still to be followed up, oldest first; an answer may stand in the chain as well."""
    given = tuple(answers)
    followed = {answer.digest for answer in given if answer.kind == "followed-up"}
    followed |= {entry.digest or "" for entry in history.entries if entry.kind == "followed-up"}
    broken = {_of_answer(answer) for answer in given if answer.kind == "break-glass"}
    broken |= {_of_entry(entry) for entry in history.entries if entry.kind == "break-glass"}
    return tuple(sorted((each for each in broken if each.digest not in followed), key=lambda each: (each.at, each.by)))


def _of_answer(answer: Answer) -> BrokenGlass:
    return BrokenGlass(answer.tag, answer.digest, answer.by, answer.at, answer.reason, answer.notified)


def _of_entry(entry: Entry) -> BrokenGlass:
    """The copy of an answer that the chain holds."""
    at, reason, notified = (str(entry.detail.get(name, "")) for name in ("at", "reason", "notified"))
    return BrokenGlass(entry.tag, entry.digest or "", entry.by, at, reason, notified)
