"""All that is kept about targets, gathered for `model.audit.evidence` to compare: read only, from every store.

What is gone may leave traces: a bucket keeps older versions and the marks of deletions, and anchors name targets that
the rules no longer know.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from orchestrator.effects.aws.objects import Bucket, ObjectVersion
from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.ledger.answers import Answers
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.audit.evidence import Kept, Lock, Record, TagObject, read_receipt
from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.chain import Anchored, Stored, doubtful
from orchestrator.model.release.receipt import artefact_key, receipt_key
from orchestrator.model.rules.backend import Stores
from orchestrator.model.rules.rules import Rules
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.context.selection import REFUSED, Selection

_AT_ONCE = 16
_PAUSE = 1.0


@dataclass(frozen=True)
class EnvironmentStores:
    """The stores of one environment in one Region; tags are looked at in `repository`, stored plans where asked."""

    stores: Stores
    ledger: Ledger
    bucket: Bucket
    answers: Answers
    repository: Repository | None
    plans: bool

    @staticmethod
    def of(
        rules: Rules, aws: Session, stores: Stores, repository: Repository | None, *, plans: bool
    ) -> EnvironmentStores:
        return EnvironmentStores(
            stores,
            Ledger.of(aws, stores, rules.project),
            Bucket.of_releases(aws, stores, rules.project),
            Answers(aws, stores.ledger_table, stores.region, stores.env),
            repository,
            plans,
        )

    def targets(self, selection: Selection) -> set[str]:
        """Those that are anchored here, the rules may know them or not."""
        named = {anchor.target for each in self.bucket.versions("anchors/") if (anchor := Anchor.parse(each.key))}
        return {target for target in named if selection.names(target, self.stores.env)}

    def record(self, target: str) -> Record:
        stored, anchors, lock = self._chain(target)
        return self._objects(Record(self.ledger.table, target, stored, anchors, lock=lock))

    def _chain(self, target: str) -> tuple[tuple[Stored, ...], tuple[Anchored, ...], Lock | None]:
        """Looked at twice where the ends of chain and anchors do not meet: somebody may be writing just now."""
        stored, versions = self.ledger.stored(target), self._anchors(target)
        if (stored[-1].seq if stored else 0) != max((anchor.seq for anchor in versions), default=0):
            time.sleep(_PAUSE)
            versions = self._anchors(target)
            stored = self.ledger.stored(target)
        wanted = set(doubtful(stored, list(versions)))
        anchors = [
            Anchored(
                anchor,
                versions=sum(not each.deleted for each in found),
                deleted=any(each.deleted for each in found),
                content=self._first(found) if anchor in wanted else None,
            )
            for anchor, found in sorted(versions.items())
        ]
        return stored, tuple(anchors), self._lock(versions)

    def _anchors(self, target: str) -> dict[Anchor, list[ObjectVersion]]:
        """All versions of each, the oldest first."""
        found: dict[Anchor, list[ObjectVersion]] = defaultdict(list)
        for version in self.bucket.versions(f"anchors/{target}/"):
            anchor = Anchor.parse(version.key)
            if anchor is not None and anchor.target == target:
                found[anchor].insert(0, version)
        return found

    def _first(self, versions: Sequence[ObjectVersion]) -> bytes | None:
        written = [each for each in versions if not each.deleted]
        return self.bucket.version(min(written, key=lambda each: each.at)) if written else None

    def _lock(self, versions: Mapping[Anchor, Sequence[ObjectVersion]]) -> Lock | None:
        written = [each for anchor in sorted(versions) for each in versions[anchor] if not each.deleted]
        kept = self.bucket.retention(written[-1]) if written else None
        return None if kept is None else Lock(kept.mode, kept.until.isoformat())

    # What the entries name --------------------------------------------------------------------------------------------

    def _objects(self, record: Record) -> Record:
        receipts = dict(self._receipts(record))
        copied = {entry.digest for entry in record.entries if entry.digest and "answer" in entry.detail}
        tags = dict.fromkeys(entry.tag for entry in record.planned.values())
        return replace(
            record,
            receipts=receipts,
            plans=dict(self._plans(record.target, receipts)) if self.plans else {},
            answers={digest: self._answers(digest) for digest in sorted(copied)},
            pins={tag: self.ledger.pinned(tag) for tag in tags},
            tags={} if self.repository is None else {tag: _tag(self.repository, tag) for tag in tags},
        )

    def _receipts(self, record: Record) -> Iterator[tuple[str, Kept]]:
        versions = _by_key(self.bucket.versions(f"receipts/{record.target}/"))
        for digest in record.planned:
            yield digest, self._kept(versions.get(receipt_key(record.target, digest), []), digest)

    def _kept(self, versions: Sequence[ObjectVersion], digest: str) -> Kept:
        """Older versions are read only where the newest is not what it should be."""
        newest = next((each for each in versions if each.latest and not each.deleted), None)
        content = None if newest is None else self.bucket.version(newest)
        if content is not None and sha256(content) == digest:
            return Kept(content)
        older = (self.bucket.version(each) for each in versions if not each.deleted and each is not newest)
        return Kept(content, next((found for found in older if sha256(found) == digest), None))

    def _plans(self, target: str, receipts: Mapping[str, Kept]) -> Iterator[tuple[str, str | None]]:
        there = {each.key for each in self.bucket.versions(f"plans/{target}/") if each.latest and not each.deleted}
        for digest, kept in receipts.items():
            receipt = read_receipt(kept.content, digest)
            if receipt is not None:
                key = artefact_key(target, receipt.artefact.sha256)
                yield digest, self.bucket.sha256(key) if key in there else None

    def _answers(self, digest: str) -> tuple[bytes, ...]:
        """None of them where one is not what orchestrate writes: then no copy has an original."""
        try:
            return tuple(answer.encode() for answer in self.answers.of(digest))
        except Refused:
            return ()


def _by_key(versions: Iterable[ObjectVersion]) -> Mapping[str, list[ObjectVersion]]:
    found: dict[str, list[ObjectVersion]] = defaultdict(list)
    for version in versions:
        found[version.key].append(version)
    return found


def _tag(repository: Repository, name: str) -> TagObject | None:
    try:
        found = repository.tag(name)
    except InvalidInput:
        return None
    return TagObject(found.object, found.commit, repository.blob(found.object) if found.annotated else None)


def collect(rules: Rules, selection: Selection, repository: Repository | None, *, plans: bool) -> tuple[Record, ...]:
    """One record for each target that is meant, also of those of which nothing is kept; by target."""
    wanted: dict[Stores, set[str]] = defaultdict(set)
    for target in selection.of(rules):
        wanted[target.stores].add(target.id)
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    archives = {stores: EnvironmentStores.of(rules, aws, stores, repository, plans=plans) for stores in wanted}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        anchored = pool.map(lambda each: each.targets(selection), archives.values())
        for stores, found in zip(archives, anchored, strict=True):
            wanted[stores] |= found | ({REFUSED} if selection.whole_environment else set())
        work = [(archives[stores], target) for stores in wanted for target in sorted(wanted[stores])]
        records = list(pool.map(lambda each: each[0].record(each[1]), work))
    return tuple(sorted(records, key=lambda record: (record.ledger, record.target)))
