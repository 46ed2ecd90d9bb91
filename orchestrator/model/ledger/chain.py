"""Is the chain of a target what was written? Its entries as they lie in the table, compared with their anchors.

An anchor is a copy of an entry that its writer made at once in another store (`model.ledger.anchor`). Where the two
differ, the anchor tells what was written; where an entry has none, only the hashes that join the entries can tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.integrity import IntegrityFinding
from orchestrator.model.ledger.ledger import FIRST_HASH, Entry
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import sha256


@dataclass(frozen=True)
class Stored:
    """An item of a chain as it lies in the table: its sort key, and its attributes, empty where they are missing."""

    sk: str
    body: str
    hash: str = ""
    kind: str = ""

    @property
    def seq(self) -> int:
        """0 where the key is none of an entry."""
        return int(self.sk) if self.sk.isascii() and self.sk.isdigit() and len(self.sk) == 12 else 0

    @property
    def actual_hash(self) -> str:
        return sha256(self.body.encode(errors="surrogatepass"))

    @property
    def entry(self) -> Entry | None:
        """None where it cannot be read."""
        return read_entry(self.body.encode(errors="surrogatepass"))


@dataclass(frozen=True)
class Anchored:
    """An anchor as it lies in the bucket; `content` is there where it differs from the chain, None if it is not known.

    `versions` counts what was ever written under its name, `deleted` tells that somebody has deleted it.
    """

    anchor: Anchor
    versions: int = 1
    deleted: bool = False
    content: bytes | None = None


def read_entry(content: bytes) -> Entry | None:
    try:
        return decoding.decode(content, Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def doubtful(stored: Sequence[Stored], anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    """The anchors whose content is needed to tell what was changed: those that the chain does not hold as they are."""
    kept = {(item.seq, item.actual_hash) for item in stored}
    return tuple(anchor for anchor in anchors if (anchor.seq, anchor.hash) not in kept)


def check_chain(target: str, stored: Sequence[Stored], anchors: Sequence[Anchored]) -> tuple[IntegrityFinding, ...]:
    """What is wrong, in the order of the entries."""
    return tuple(_Chain.of(target, stored, anchors).flaws())


@dataclass(frozen=True)
class _Chain:
    target: str
    items: Mapping[int, Stored]
    anchors: Mapping[int, Sequence[Anchored]]
    foreign: Sequence[str]
    altered: set[int] = field(default_factory=set)

    @staticmethod
    def of(target: str, stored: Sequence[Stored], anchors: Sequence[Anchored]) -> _Chain:
        by_seq: dict[int, list[Anchored]] = defaultdict(list)
        for anchored in anchors:
            by_seq[anchored.anchor.seq].append(anchored)
        items = {item.seq: item for item in stored if item.seq}
        return _Chain(target, items, by_seq, [item.sk for item in stored if not item.seq])

    @property
    def last(self) -> int:
        return max(self.items, default=0)

    def flaws(self) -> Iterator[IntegrityFinding]:
        for sk in self.foreign:
            yield self._flaw("foreign", None, f"the item {sk!r} is not an entry")
        before = 0
        for seq in sorted({*self.items, *self.anchors}):  # somebody may have written any number into a store
            if seq > before + 1:
                yield self._gap(before + 1, seq - 1)
            item, anchors = self.items.get(seq), self.anchors.get(seq, ())
            if item is None:
                yield self._gone(seq, anchors)
            else:
                yield from self._present(item, anchors)
            yield from self._handled(seq, anchors)
            before = seq

    def _gap(self, first: int, last: int) -> IntegrityFinding:
        """Numbers of which neither store knows anything."""
        code = "cut-off" if first > self.last else "removed"
        if first == last:
            return self._flaw(code, first, f"entry {first} is gone")
        return self._flaw(code, first, f"entries {first} to {last} are gone: {last - first + 1} in all")

    def _flaw(self, code: str, seq: int | None, message: str, name: str | None = None) -> IntegrityFinding:
        return IntegrityFinding(self.target, code, message, seq, name)

    def _gone(self, seq: int, anchors: Sequence[Anchored]) -> IntegrityFinding:
        """Its anchors tell what it was."""
        was = next((f": {text}" for each in anchors if (text := _told(each.content)) is not None), "")
        return self._flaw("cut-off" if seq > self.last else "removed", seq, f"entry {seq} is gone{was}")

    def _present(self, item: Stored, anchors: Sequence[Anchored]) -> Iterator[IntegrityFinding]:
        entry, seq, hash_ = item.entry, item.seq, item.actual_hash
        known = {each.anchor.hash for each in anchors}
        if entry is None:
            self.altered.add(seq)
            yield self._flaw("altered", seq, f"entry {seq} cannot be read", "body")
            return
        if not known:
            yield self._flaw("anchor-missing", seq, f"entry {seq} has no anchor")
        elif hash_ not in known:
            self.altered.add(seq)
            yield from self._differences(seq, entry, anchors)
        elif len(known) > 1:
            yield self._flaw("two-anchors", seq, f"entry {seq} has {len(known)} anchors of different content")
        yield from self._place(item, entry)
        yield from self._attributes(item, entry, is_known=hash_ in known)
        yield from self._link(item, entry)

    def _differences(self, seq: int, entry: Entry, anchors: Sequence[Anchored]) -> Iterator[IntegrityFinding]:
        """Field by field, where an anchor tells what was written."""
        written = next((found for each in anchors if each.content and (found := read_entry(each.content))), None)
        if written is None:
            yield self._flaw("altered", seq, f"entry {seq} does not have the hash of its anchor")
            return
        for name, was, now in differing(written, entry):
            yield self._flaw("altered", seq, f"{name} of entry {seq} was {was}, it is {now}", name)

    def _place(self, item: Stored, entry: Entry) -> Iterator[IntegrityFinding]:
        for name, is_, must in (("target", entry.target, self.target), ("seq", entry.seq, item.seq)):
            if is_ != must and item.seq not in self.altered:
                self.altered.add(item.seq)
                message = f"entry {item.seq} was written as entry {entry.seq} of {entry.target}"
                yield self._flaw("moved", item.seq, message, name)

    def _attributes(self, item: Stored, entry: Entry, *, is_known: bool) -> Iterator[IntegrityFinding]:
        """What the item says beside the entry itself."""
        seq, hash_ = item.seq, item.actual_hash
        if item.kind != entry.kind:
            yield self._flaw("altered", seq, f"entry {seq} is {entry.kind}, its item says {item.kind!r}", "kind")
        if item.hash != hash_ and seq not in self.altered:
            self.altered.add(seq)
            message = f"entry {seq} has the hash {hash_[:16]}, its item says {item.hash[:16]!r}"
            yield self._flaw("altered", seq, message, "hash" if is_known else None)

    def _link(self, item: Stored, entry: Entry) -> Iterator[IntegrityFinding]:
        """Reported where nothing else tells which of the two was changed."""
        before, seq = self.items.get(item.seq - 1), item.seq
        if (before is None and seq > 1) or {seq, seq - 1} & self.altered:
            return
        expected = FIRST_HASH if before is None else before.actual_hash
        if entry.previous != expected:
            message = f"entry {seq} follows {entry.previous[:16]}, but before it stands {expected[:16]}"
            yield self._flaw("broken-link", seq, message, "previous")

    def _handled(self, seq: int, anchors: Sequence[Anchored]) -> Iterator[IntegrityFinding]:
        """Anchors are written once and never touched."""
        for each in anchors:
            if each.deleted:
                yield self._flaw("anchor-deleted", seq, f"the anchor of entry {seq} was deleted")
            if each.versions > 1:
                yield self._flaw("anchor-replaced", seq, f"the anchor of entry {seq} was written {each.versions} times")


def differing(was: msgspec.Struct, now: msgspec.Struct) -> Iterator[tuple[str, str, str]]:
    """The fields that differ, inner ones by their path, each with both values for people."""
    return _differing("", msgspec.to_builtins(was), msgspec.to_builtins(now))


def _differing(path: str, was: Any, now: Any) -> Iterator[tuple[str, str, str]]:
    if was == now:
        return
    if not (isinstance(was, dict) and isinstance(now, dict)):
        yield path, _short(was), _short(now)
        return
    for name in sorted({*was, *now}):
        yield from _differing(f"{path}.{name}".removeprefix("."), was.get(name), now.get(name))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _told(content: bytes | None) -> str | None:
    """An entry in a few words."""
    entry = read_entry(content) if content is not None else None
    return None if entry is None else f"{entry.kind} of {entry.tag} at {entry.at} by {entry.by}"
