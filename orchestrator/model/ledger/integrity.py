"""What a verification of the record has found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MEANINGS: Mapping[str, str] = {
    "altered": "The entry is not the one that was written: somebody changed it in the table.",
    "removed": "The entry was taken out of the middle of the chain.",
    "cut-off": "The end of the chain was cut off, or an older state of the table was put back.",
    "foreign": "Somebody wrote something into the table that is not an entry.",
    "moved": "The entry was copied here from another place or another target.",
    "broken-link": "One of the two entries was changed, or something was put in or taken out between them.",
    "anchor-missing": "The anchor was removed; or, of the newest entry, its writer is still at it or was killed.",
    "anchor-deleted": "Somebody deleted the anchor; the bucket still has what it held.",
    "anchor-replaced": "Somebody wrote over the anchor; its first version is the one that counts.",
    "two-anchors": "The chain was another one for a while, or somebody anchored what never was an entry.",
    "receipt-missing": "Somebody deleted the receipt.",
    "receipt-altered": "Somebody changed the receipt, or put another one in its place. Apply refuses the plan.",
    "receipt-unreadable": "Another version of orchestrate wrote the receipt, or somebody past it.",
    "plan-missing": "Somebody deleted the stored plan, so that what was applied can no longer be shown.",
    "plan-altered": "Somebody wrote over the stored plan. Apply refuses it.",
    "answer-missing": "Somebody removed or changed the answer. Its copy in the chain is what counts.",
    "contradiction": "The other one proves itself by its hash, so the entry was changed.",
    "pin-missing": "Somebody deleted what was noted of the tag: it could be moved now without being noticed.",
    "pin-altered": "Somebody changed what was noted of the tag, or the entry.",
    "tag-moved": "Somebody moved the tag, or changed what was noted of it. It can no longer be released.",
    "rules-elsewhere": "The rules do not follow from those of the entry before: of a branch that nobody merged.",
    "file": "The bundle is not as it was exported.",
}
"""By code, for programs and people (docs/history.md)."""


@dataclass(frozen=True)
class IntegrityFinding:
    """`seq` is the entry's number; `field` what of it, or of the object that it names, was changed, where known."""

    target: str
    code: str
    message: str
    seq: int | None = None
    field: str | None = None

    @property
    def means(self) -> str:
        return MEANINGS[self.code]
