"""The evidence bundle for auditors: what happened as Markdown and JSON, beside the records themselves."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from orchestrator.effects.system import outlet
from orchestrator.model.audit.bundle import folder_of, pretty, record_files, with_sums
from orchestrator.model.audit.evidence import Record
from orchestrator.model.audit.timeline import summary
from orchestrator.model.ledger.ledger import Entry
from orchestrator.report.history import audit as report
from orchestrator.stages.history.audit import Audit

_README = """\
# Evidence of releases

What was planned, approved, refused, applied and verified, as recorded when it happened.

| file | holds |
| --- | --- |
| `SUMMARY.md` | every event in order, for people |
| `history.json` | the same for programs |
| `verification.json` | what `orchestrate history --verify` said when this was exported |
| `records/<ledger>/<target>/chain/` | the entries of the ledger, byte for byte, one file each, oldest first |
| `records/<ledger>/<target>/receipts/` | the receipts of the plans; each is named by the SHA-256 of its content |
| `records/<ledger>/<target>/answers/` | what people said to plans, by the plan's digest |
| `records/<ledger>/<target>/tags/` | the tag objects with their signatures; each is named by its id |
| `records/<ledger>/<target>/record.json` | anchors, pins, hashes of the stored plans (schema: `evidence-1.json`) |
| `SHA256SUMS` | the SHA-256 of every other file |

## Checking it without orchestrate

- Nothing was changed since the export: `sha256sum --check SHA256SUMS`.
- The chain holds: the SHA-256 of each entry is the `previous` of the next one; the first one's is 64 zeros.
  `cd records/<ledger>/<target>/chain && sha256sum *.json` and compare.
- The chain is the one that was written: for each entry `record.json` lists an anchor of that number and hash. Compare
  with the names below `anchors/` in the release bucket, and look whether S3 Object Lock keeps them.
- A receipt is the one that was approved: `sha256sum` of it is its name, and the `digest` of the entries about it.
- A tag is the one that was released: `git hash-object -t tag --stdin < tags/<id>` prints `<id>`, which the receipt
  names as `tag_object`. `git verify-tag <id>` in a clone checks its signature.

With orchestrate, all of this at once: `orchestrate history --verify --from BUNDLE`.
"""


def files(found: Audit) -> dict[str, bytes]:
    """All files by their names; equal records make equal files."""
    kept = [each.record for each in found.examined if each.record.stored or each.record.anchors]
    content = {
        "README.md": _README.encode(),
        "SUMMARY.md": outlet.shown("\n".join(_summary(found, kept))).encode("utf-8", "backslashreplace") + b"\n",
        "history.json": pretty(outlet.kept({"targets": [_history(record) for record in kept]})),
        "verification.json": pretty(outlet.kept(report.fields(found))),
    }
    for record in kept:
        content |= record_files(record)
    return with_sums(content)


def _history(record: Record) -> dict[str, object]:
    entries = [
        {**msgspec.to_builtins(entry), "hash": entry.hash, "summary": summary(entry)} for entry in record.entries
    ]
    return {"ledger": record.ledger, "target": record.target, "folder": folder_of(record), "entries": entries}


def _summary(found: Audit, kept: list[Record]) -> Iterator[str]:
    yield "# Summary"
    yield ""
    yield "```"
    yield report.text(found)
    yield "```"
    for record in kept:
        yield ""
        yield f"## {_cell(record.target)} ({_cell(record.ledger)})"
        yield ""
        yield "| number | when | what | tag | commit | plan | by | summary |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        yield from (_row(entry) for entry in record.entries)


def _row(entry: Entry) -> str:
    cells = (
        str(entry.seq),
        entry.at,
        entry.kind,
        entry.tag,
        entry.commit,
        entry.digest or "",
        entry.by,
        summary(entry),
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Text that somebody chose must not become Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#~!" else char for char in " ".join(text.split()))
