"""All that is kept about one target, compared: the chain, its anchors, receipts, stored plans, answers, tags.

What another store holds of the same fact tells which of the two was changed, and in which field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from orchestrator.model.approval.approval import Answer
from orchestrator.model.ledger.chain import Anchored, Stored, check_chain, differing
from orchestrator.model.ledger.integrity import IntegrityFinding
from orchestrator.model.ledger.ledger import Entry
from orchestrator.model.release.receipt import PlanReceipt, artefact_key
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import sha256

PLANS_KEPT = timedelta(days=90)
"""Of the release bucket's lifecycle (`model.stores.settings`): a plan that is older may be gone."""


@dataclass(frozen=True)
class Kept:
    """An object of the release bucket; `content` is None where it is gone.

    `original` is an older version that is what its name says, where the newest is not.
    """

    content: bytes | None
    original: bytes | None = None


@dataclass(frozen=True)
class TagPin:
    """A tag as it was first seen."""

    object: str
    commit: str


@dataclass(frozen=True)
class TagObject:
    """A tag as the repository has it; `content` is the tag object, None for a lightweight tag."""

    object: str
    commit: str
    content: bytes | None


@dataclass(frozen=True)
class Lock:
    """How the newest anchor is kept: GOVERNANCE or COMPLIANCE, until when."""

    mode: str
    until: str


@dataclass(frozen=True)
class Record:
    """All that is kept about one target in a ledger's table and the release bucket beside it.

    By digest: `receipts`, `plans` (the hash of what is stored, None where it is gone; not there where it was not looked
    at) and `answers`; by name: `pins` and `tags` (None where there is none; `tags` not where there is no repository).
    """

    ledger: str
    target: str
    stored: tuple[Stored, ...]
    anchors: tuple[Anchored, ...] = ()
    receipts: Mapping[str, Kept] = field(default_factory=dict)
    plans: Mapping[str, str | None] = field(default_factory=dict)
    answers: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    pins: Mapping[str, TagPin | None] = field(default_factory=dict)
    tags: Mapping[str, TagObject | None] = field(default_factory=dict)
    lock: Lock | None = None

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Those that can be read, oldest first."""
        return tuple(entry for item in self.stored if (entry := item.entry) is not None)

    @cached_property
    def planned(self) -> Mapping[str, Entry]:
        """The plans by digest."""
        return {entry.digest: entry for entry in self.entries if entry.kind == "planned" and entry.digest}

    @property
    def head(self) -> str | None:
        """The hash of the newest entry."""
        return self.stored[-1].actual_hash if self.stored else None


def examine(record: Record, now: datetime) -> tuple[IntegrityFinding, ...]:
    """What is wrong with it: the chain first, then what its entries name."""
    return (*check_chain(record.target, record.stored, record.anchors), *_named(record, now))


def notes(record: Record) -> tuple[str, ...]:
    """What is not wrong and still worth knowing."""
    gone = [tag for tag, found in sorted(record.tags.items()) if found is None]
    return tuple(f"{record.target}: the tag {tag} is not in this repository (deleted, or not fetched)" for tag in gone)


def _named(record: Record, now: datetime) -> Iterator[IntegrityFinding]:
    receipts: dict[str, PlanReceipt] = {}
    for digest, entry in record.planned.items():
        if digest in record.receipts:
            yield from _receipt(record, entry, record.receipts[digest], receipts)
    for digest, receipt in receipts.items():
        yield from _plan(record, receipt, digest, now)
    for entry in record.entries:
        yield from _answer(record, entry)
    for tag in dict.fromkeys(entry.tag for entry in record.planned.values()):
        yield from _tag(record, tag, receipts)


# Receipts and plans -------------------------------------------------------------------------------------------------


def _receipt(record: Record, entry: Entry, kept: Kept, intact: dict[str, PlanReceipt]) -> Iterator[IntegrityFinding]:
    digest = entry.digest or ""
    name = f"the receipt {digest[:16]} of entry {entry.seq} ({entry.tag})"
    if kept.content is None:
        there = "an older version of it is still there" if kept.original else "no version of it is left"
        yield IntegrityFinding(record.target, "receipt-missing", f"{name} is gone; {there}", entry.seq)
        return
    receipt = _decoded(kept.content)
    if sha256(kept.content) != digest:
        for what, at in _altered(kept, receipt):
            yield IntegrityFinding(record.target, "receipt-altered", f"{name} {what}", entry.seq, at)
    elif receipt is None:
        message = f"{name} is as it was written, but of a version that is not known here"
        yield IntegrityFinding(record.target, "receipt-unreadable", message, entry.seq)
    else:
        intact[digest] = receipt
        yield from _against_receipt(record, entry, receipt)


def _against_receipt(record: Record, entry: Entry, receipt: PlanReceipt) -> Iterator[IntegrityFinding]:
    pairs = {
        "target": (entry.target, receipt.place.target),
        "tag": (entry.tag, receipt.tag),
        "commit": (entry.commit, receipt.commit),
        "by": (entry.by, receipt.planned_by),
    }
    for name, (said, is_) in pairs.items():
        if said != is_:
            message = f"{name} of entry {entry.seq} is {said!r}, its receipt says {is_!r}"
            yield IntegrityFinding(record.target, "contradiction", message, entry.seq, name)


def _altered(kept: Kept, receipt: PlanReceipt | None) -> Iterator[tuple[str, str | None]]:
    """What differs from what was written, and in which field, where an older version tells."""
    original = _decoded(kept.original) if kept.original is not None else None
    if receipt is None:
        yield "holds other content, which is not a receipt", None
    elif original is None:
        yield f"holds another receipt: of {receipt.tag} for {receipt.place.target}", None
    else:
        for name, was, now in differing(original, receipt):
            yield f"was changed: {name} was {was}, it is {now}", name


def read_receipt(content: bytes | None, digest: str) -> PlanReceipt | None:
    """None where it is not the one of this digest, or cannot be read."""
    return _decoded(content) if content is not None and sha256(content) == digest else None


def _decoded(content: bytes) -> PlanReceipt | None:
    try:
        return decoding.decode(content, PlanReceipt)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _plan(record: Record, receipt: PlanReceipt, digest: str, now: datetime) -> Iterator[IntegrityFinding]:
    if digest not in record.plans:
        return
    found, seq = record.plans[digest], record.planned[digest].seq
    name = f"the stored plan {artefact_key(record.target, receipt.artefact.sha256)} of entry {seq}"
    if found is None:
        if now < datetime.fromisoformat(receipt.planned_at) + PLANS_KEPT:
            yield IntegrityFinding(record.target, "plan-missing", f"{name} is gone", seq)
    elif found != receipt.artefact.sha256:
        yield IntegrityFinding(record.target, "plan-altered", f"{name} has the hash {found[:16]}", seq)


# Answers ------------------------------------------------------------------------------------------------------------


def _answer(record: Record, entry: Entry) -> Iterator[IntegrityFinding]:
    """The chain has a copy of each answer; what CodePipeline vouched for has no author's id and no original here."""
    copied, given = entry.detail.get("answer"), record.answers.get(entry.digest or "")
    if copied is None or not entry.detail.get("user_id") or given is None:
        return
    originals = {sha256(content): content for content in given}
    if copied not in originals:
        message = f"the answer that entry {entry.seq} ({entry.kind} by {entry.by}) copies is gone, or is another one"
        yield IntegrityFinding(record.target, "answer-missing", message, entry.seq, "answer")
        return
    answer = decoding.decode(originals[copied], Answer)
    for name in ("kind", "tag", "commit", "by"):
        said, is_ = getattr(entry, name), getattr(answer, name)
        if said != is_:
            message = f"{name} of entry {entry.seq} is {said!r}, the answer that it copies says {is_!r}"
            yield IntegrityFinding(record.target, "contradiction", message, entry.seq, name)


# Tags ---------------------------------------------------------------------------------------------------------------


def _tag(record: Record, tag: str, receipts: Mapping[str, PlanReceipt]) -> Iterator[IntegrityFinding]:
    """The pin, the chain, the receipts and the repository must all say the same."""
    if tag not in record.pins:
        return
    pin = record.pins[tag]
    if pin is None:
        yield IntegrityFinding(record.target, "pin-missing", f"it is no longer noted what {tag} was first seen as")
        return
    for entry in record.planned.values():
        if entry.tag == tag:
            yield from _pinned(record, pin, entry, receipts.get(entry.digest or ""))
    found = record.tags.get(tag)
    if found is not None and (found.object, found.commit) != (pin.object, pin.commit):
        message = (
            f"the tag {tag} was first seen as commit {pin.commit[:12]} (tag object {pin.object[:12]}), in this "
            f"repository it is {found.commit[:12]} ({found.object[:12]})"
        )
        yield IntegrityFinding(record.target, "tag-moved", message)


def _pinned(record: Record, pin: TagPin, entry: Entry, receipt: PlanReceipt | None) -> Iterator[IntegrityFinding]:
    pairs = {"commit": (pin.commit, entry.commit)}
    if receipt is not None:
        pairs["object"] = (pin.object, receipt.tag_object)
    for name, (noted, is_) in pairs.items():
        if noted != is_:
            message = f"{entry.tag} is noted as {name} {noted[:12]}, entry {entry.seq} planned {is_[:12]}"
            yield IntegrityFinding(record.target, "pin-altered", message, entry.seq, name)
