"""What a verification of the record has found, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.model.audit.evidence import Record
from orchestrator.model.ledger.integrity import IntegrityFinding
from orchestrator.report.text.table import table
from orchestrator.stages.history.audit import Audit, Examined


def fields(found: Audit) -> dict[str, Any]:
    """`result` is `clean`, `flawed`, or `empty` where nothing is recorded at all."""
    return {
        "result": result(found),
        "targets": [_target(each.record) for each in found.examined],
        "flaws": [_flaw(each.record, finding) for each in found.examined for finding in each.flaws],
        "damaged": list(found.damaged),
        "notes": list(found.notes),
    }


def result(found: Audit) -> str:
    if found.flaws:
        return "flawed"
    return "empty" if found.empty else "clean"


def _target(record: Record) -> dict[str, Any]:
    lock = None if record.lock is None else {"mode": record.lock.mode, "until": record.lock.until}
    return {
        "ledger": record.ledger,
        "target": record.target,
        "entries": len(record.stored),
        "head": record.head,
        "anchors": len(record.anchors),
        "lock": lock,
    }


def _flaw(record: Record, finding: IntegrityFinding) -> dict[str, Any]:
    return {
        "ledger": record.ledger,
        "target": finding.target,
        "code": finding.code,
        "entry": finding.seq,
        "field": finding.field,
        "message": finding.message,
        "means": finding.means,
    }


def text(found: Audit) -> str:
    return "\n".join(_lines(found))


def _lines(found: Audit) -> Iterator[str]:
    rows = [_row(each) for each in found.examined if each.record.stored or each.record.anchors]
    if rows:
        yield table(("LEDGER", "TARGET", "ENTRIES", "HEAD", "ANCHORS", "FLAWS"), rows)
    for each in found.examined:
        for finding in each.flaws:
            yield ""
            yield f"{each.record.ledger}: {finding.target}: {finding.message} ({finding.code})"
            yield f"  {finding.means}"
    for damaged in found.damaged:
        yield f"bundle: {damaged}"
    yield from ("", *(f"Note: {note}" for note in found.notes)) if found.notes else ()
    yield ""
    yield _conclusion(found)


def _row(each: Examined) -> tuple[str, ...]:
    record = each.record
    head = (record.head or "-")[:16]
    return (record.ledger, record.target, str(len(record.stored)), head, _anchors(record), str(len(each.flaws)))


def _anchors(record: Record) -> str:
    """How many, and how strong they are."""
    if record.lock is None:
        return f"{len(record.anchors)}, without Object Lock"
    return f"{len(record.anchors)}, {record.lock.mode} until {record.lock.until[:10]}"


def _conclusion(found: Audit) -> str:
    if found.flaws:
        return f"The record is not as it was written: {found.flaws} finding{'' if found.flaws == 1 else 's'}."
    if found.empty:
        return "Nothing is recorded, and no anchor says that anything ever was."
    entries = sum(len(each.record.stored) for each in found.examined)
    kept = sum(bool(each.record.stored) for each in found.examined)
    return f"{entries} entries of {kept} target{'' if kept == 1 else 's'} are as they were written."
