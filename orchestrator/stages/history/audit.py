"""Is the record what was written? Of every target that is meant, or of an evidence bundle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


def audit(records: Iterable[Record], *more_notes: str, damaged: tuple[str, ...] = ()) -> Audit:
    kept = tuple(records)
    now = clock.now()
    found = tuple(Examined(record, examine(record, now)) for record in kept)
    return Audit(found, (*more_notes, *(note for record in kept for note in notes(record))), damaged)
