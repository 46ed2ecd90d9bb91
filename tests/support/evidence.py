"""The record of a target, as `collect` gathers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator.model.approval.approval import Answer, copy_of
from orchestrator.model.audit.evidence import Kept, Record, TagObject, TagPin
from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.chain import Anchored, Stored
from orchestrator.model.ledger.ledger import Draft, Entry, Stamp, following
from tests.support.receipts import RECEIPT

NOW = datetime(2026, 3, 5, tzinfo=UTC)
TARGET, TAG = RECEIPT.place.target, RECEIPT.tag
ANSWER = Answer(
    1, "approved", TARGET, TAG, RECEIPT.commit, RECEIPT.digest, "arn:alice", "AROA:alice", NOW.isoformat(), "fine"
)
PLANNED = Draft("planned", TAG, RECEIPT.commit, RECEIPT.planned_by, RECEIPT.digest)


def chain(*drafts: Draft) -> tuple[Entry, ...]:
    made: list[Entry] = []
    for number, draft in enumerate(drafts):
        made.append(following(made[-1] if made else None, TARGET, Stamp(f"t{number}", str(number)), draft))
    return tuple(made)


def record(*drafts: Draft, **changes: Any) -> Record:
    """In order, unless `changes` say otherwise."""
    entries = chain(*(drafts or (PLANNED, copy_of(ANSWER))))
    return replace(
        Record(
            ledger="acme-tf-ledger-dev",
            target=TARGET,
            stored=tuple(Stored(f"{e.seq:012d}", e.encode().decode(), e.hash, e.kind) for e in entries),
            anchors=tuple(Anchored(Anchor(TARGET, e.seq, e.hash)) for e in entries),
            receipts={RECEIPT.digest: Kept(RECEIPT.encode())},
            plans={RECEIPT.digest: RECEIPT.artefact.sha256},
            answers={RECEIPT.digest: (ANSWER.encode(),)},
            pins={TAG: TagPin(RECEIPT.tag_object, RECEIPT.commit)},
            tags={TAG: TagObject(RECEIPT.tag_object, RECEIPT.commit, b"x")},
        ),
        **changes,
    )
