"""The ledger: the append-only record of each target.

Every entry holds the hash of the one before it; so nothing can be altered, removed or slipped in unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.text.canonical import canonical_json, sha256
from orchestrator.model.text.depth import deeper_than

Kind: TypeAlias = Literal[
    "checked",
    "planning",
    "planned",
    "aborted",
    "approved",
    "rejected",
    "overridden",
    "applying",
    "applied",
    "failed",
    "recovered",
    "verified",
    "submitted",
    "refused",
    "stopped",
    "adopted",
    "break-glass",
    "followed-up",
]

FIRST_HASH = "0" * 64
RULES = "rules_commit"  # in the detail of an entry
LAST_NUMBER = 10**12 - 1
"""Sort keys and names of anchors have twelve digits."""
DEEPEST_DETAIL = 50


class Draft(msgspec.Struct, frozen=True):
    """What somebody wants to record; place and hashes come when it is appended."""

    kind: Kind
    tag: str
    commit: str
    by: str
    digest: str | None = None
    detail: dict[str, Any] = {}

    def under(self, rules_commit: str | None) -> Draft:
        """The same, naming the commit whose rules decided it; or none."""
        named = {} if rules_commit is None else {RULES: rules_commit}
        kept = {name: value for name, value in self.detail.items() if name != RULES}
        return msgspec.structs.replace(self, detail={**kept, **named})


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record; `seq` counts from 1 for each target, `at` is UTC in ISO 8601, `id` is random.

    Without the id, two runs of one person in the same second could take each other's entry for their own.
    """

    target: str
    seq: int
    id: str
    at: str
    kind: Kind
    tag: str
    commit: str
    by: str
    digest: str | None
    detail: dict[str, Any]
    previous: str

    def __post_init__(self) -> None:
        """Whoever can write to the table can write any number and any depth: neither may end us."""
        if not 0 < self.seq <= LAST_NUMBER:
            raise ValueError(f"the number of an entry is from 1 to {LAST_NUMBER}")
        if deeper_than(self.detail, DEEPEST_DETAIL):
            raise ValueError(f"its detail is nested deeper than {DEEPEST_DETAIL} levels")

    def encode(self) -> bytes:
        return canonical_json(self)

    @property
    def hash(self) -> str:
        return sha256(self.encode())

    @property
    def rules_commit(self) -> str | None:
        """Whose rules decided what it says; None where it says that they were not to decide."""
        found = self.detail.get(RULES)
        return None if found is None or self.kind in ("refused", "stopped") else str(found)

    @property
    def draft(self) -> Draft:
        """What it says, whenever it was said."""
        return Draft(self.kind, self.tag, self.commit, self.by, self.digest, self.detail)


class Stamp(msgspec.Struct, frozen=True):
    """What makes an entry this one and no other: when, and a random id."""

    at: str
    id: str


def following(last: Entry | None, target: str, stamp: Stamp, draft: Draft) -> Entry:
    """The entry that `draft` becomes after `last`; Refused where somebody has used up the numbers."""
    if last is not None and last.seq >= LAST_NUMBER:
        raise Refused(
            f"the newest entry of {target} has the number {last.seq}, which orchestrate has not written",
            hint="`orchestrate history --verify` tells what else is there; take it out of the ledger.",
        )
    return Entry(
        target=target,
        seq=1 if last is None else last.seq + 1,
        id=stamp.id,
        at=stamp.at,
        kind=draft.kind,
        tag=draft.tag,
        commit=draft.commit,
        by=draft.by,
        digest=draft.digest,
        detail=draft.detail,
        previous=FIRST_HASH if last is None else last.hash,
    )


class History:
    """The entries of one target, newest first; perhaps only the newest of them."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: Sequence[Entry] = tuple(entries)

    @property
    def last(self) -> Entry | None:
        return self.entries[0] if self.entries else None

    def newest(self, *kinds: Kind, tag: str | None = None, digest: str | None = None) -> Entry | None:
        """The newest entry of one of these kinds, of that tag and digest where given."""
        return next(
            (
                entry
                for entry in self.entries
                if entry.kind in kinds and tag in (None, entry.tag) and digest in (None, entry.digest)
            ),
            None,
        )

    def check_passed(self, check: str, commit: str) -> bool | None:
        """How that check of that commit ended last; None where it has not run."""
        for entry in self.entries:
            if entry.kind == "checked" and entry.commit == commit and entry.detail.get("check") == check:
                return bool(entry.detail.get("passed"))
        return None

    @property
    def rules_commit(self) -> str | None:
        """Of the newest entry that names one: entries of earlier versions do not, and a refusal decides nothing."""
        return next((entry.rules_commit for entry in self.entries if entry.rules_commit is not None), None)

    @property
    def unfinished(self) -> Entry | None:
        """An apply that began and of which no end is recorded."""
        newest = self.newest("applying", "applied", "failed", "recovered")
        return newest if newest is not None and newest.kind == "applying" else None
