"""Is the record what was written? Of every target that is meant, or of an evidence bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.effects.system import clock
from orchestrator.model.audit.evidence import Record, examine, notes
from orchestrator.model.ledger.integrity import IntegrityFinding


@dataclass(frozen=True)
class Examined:
    """One target's record, and what is wrong with it."""

    record: Record
    flaws: tuple[IntegrityFinding, ...]


@dataclass(frozen=True)
class Audit:
    """`notes` are not wrong and still worth knowing."""

    examined: tuple[Examined, ...]
    notes: tuple[str, ...]
    damaged: tuple[str, ...] = ()
    """Of a bundle: files that are not as they were exported."""

    @property
    def flaws(self) -> int:
        return len(self.damaged) + sum(len(each.flaws) for each in self.examined)

    @property
    def empty(self) -> bool:
        """Whether nothing is recorded at all."""
        return not any(each.record.stored for each in self.examined)


Descends: TypeAlias = Callable[[str, str], bool]
"""Whether the second commit is the first or follows from it."""


def audit(
    records: Iterable[Record], *more_notes: str, damaged: tuple[str, ...] = (), descends: Descends | None = None
) -> Audit:
    """Without `descends`, as for a bundle, nobody can say whose the rules were."""
    kept = tuple(records)
    now = clock.now()
    found = tuple(Examined(r, (*examine(r, now), *_rules_elsewhere(r, descends))) for r in kept)
    return Audit(found, (*more_notes, *(note for record in kept for note in notes(record))), damaged)


def _rules_elsewhere(record: Record, descends: Descends | None) -> Iterator[IntegrityFinding]:
    before: str | None = None
    for entry in record.entries if descends is not None else ():
        now = entry.rules_commit
        if now is None:
            continue
        if before is not None and descends is not None and not descends(before, now):
            message = f"entry {entry.seq} was decided by the rules of {now[:12]}, which do not follow {before[:12]}"
            yield IntegrityFinding(record.target, "rules-elsewhere", message, entry.seq, "detail")
        before = now
