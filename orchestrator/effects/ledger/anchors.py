"""Anchors: a copy of each entry of the ledger in the release bucket, under a name that holds the entry's hash.

Whoever can change the table cannot change these unseen: they are written under the condition that they are new, the
bucket keeps every version, and S3 Object Lock, where the project has it, keeps them from everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.effects.aws.objects import Bucket, ObjectVersion, Retention
from orchestrator.model.ledger.anchor import FOLDER, anchor_key, anchored, prefix_of
from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.rules.config import ObjectLock


@dataclass(frozen=True)
class Anchors:
    """The anchors of one environment's ledger; `lock` is how new ones are kept."""

    bucket: Bucket
    lock: ObjectLock | None = None
    _known: set[str] = field(default_factory=set, compare=False, repr=False)

    def put(self, entry: Entry) -> None:
        """Anchors an entry, unless this process knows that it is; one that is there stays as it is."""
        key = anchor_key(entry)
        if key not in self._known:
            self.bucket.put(key, entry.encode(), if_none_match=True, lock=self.lock)
            self._known.add(key)

    def entries(self, target: str, seq: int) -> tuple[Entry, ...]:
        """The entries of that number that were ever anchored; what is not the content its name tells is none."""
        found = ((key, self.bucket.get(key)) for key in self.bucket.keys(prefix_of(target, seq)))
        return tuple(entry for key, content in found if (entry := anchored(key, content)) is not None)

    def versions(self, target: str = "") -> Iterator[ObjectVersion]:
        """All that has ever been written or deleted there; of one target, or of all."""
        yield from self.bucket.versions(f"{FOLDER}/{target}/" if target else f"{FOLDER}/")

    def retention(self, found: ObjectVersion) -> Retention | None:
        return self.bucket.retention(found)
