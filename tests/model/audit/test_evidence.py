"""What an entry names, compared with what is stored of it: receipts, plans, answers, tags."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from orchestrator.model.approval.approval import copy_of
from orchestrator.model.audit.evidence import Kept, Record, TagObject, TagPin, examine, notes, read_receipt
from orchestrator.model.ledger.integrity import MEANINGS
from orchestrator.model.release.receipt import PlanReceipt
from tests.support.evidence import ANSWER, NOW, PLANNED, TAG, TARGET, record
from tests.support.receipts import RECEIPT


def found(kept: Record, now: datetime = NOW) -> list[tuple[str, int | None, str | None]]:
    flaws = examine(kept, now)
    assert {finding.code for finding in flaws} <= MEANINGS.keys()
    return [(finding.code, finding.seq, finding.field) for finding in flaws]


def test_a_record_in_order_has_no_flaw() -> None:
    assert found(record()) == []
    assert notes(record()) == ()
    assert record().head == record().stored[-1].actual_hash
    assert Record("ledger", TARGET, ()).head is None


def test_what_was_not_looked_at_is_no_flaw() -> None:
    assert found(record(plans={})) == []
    assert found(record(receipts={}, plans={}, answers={}, pins={}, tags={})) == []


def receipt(**changes: Any) -> bytes:
    return msgspec.structs.replace(RECEIPT, **changes).encode()


@pytest.mark.parametrize(
    ("kept", "field", "said"),
    [
        (Kept(receipt(commit="z"), RECEIPT.encode()), "commit", "commit was 'bbbb"),
        (Kept(receipt(commit="z")), None, "holds another receipt"),
        (Kept(b"{}"), None, "which is not a receipt"),
        (Kept(b"\xff", RECEIPT.encode()), None, "which is not a receipt"),
    ],
)
def test_a_receipt_that_somebody_changed(kept: Kept, field: str | None, said: str) -> None:
    changed = record(receipts={RECEIPT.digest: kept})
    assert found(changed) == [("receipt-altered", 1, field)]
    assert said in examine(changed, NOW)[0].message


def test_a_receipt_of_another_target_is_named() -> None:
    place = msgspec.structs.replace(RECEIPT.place, target="risk/dev-global")
    (finding,) = examine(record(receipts={RECEIPT.digest: Kept(receipt(place=place))}), NOW)
    assert finding.message.endswith("holds another receipt: of dev_global/research/1.0 for risk/dev-global")


@pytest.mark.parametrize(("original", "said"), [(None, "no version of it is left"), (RECEIPT.encode(), "still there")])
def test_a_receipt_that_is_gone(original: bytes | None, said: str) -> None:
    gone = record(receipts={RECEIPT.digest: Kept(None, original)})
    assert found(gone) == [("receipt-missing", 1, None)]
    assert said in examine(gone, NOW)[0].message


def test_a_receipt_of_an_unknown_version() -> None:
    content = RECEIPT.encode().replace(b'"version":1', b'"version":9')
    digest = read_digest(content)
    planned = msgspec.structs.replace(PLANNED, digest=digest)
    kept = record(planned, receipts={digest: Kept(content)}, plans={}, answers={})
    assert found(kept) == [("receipt-unreadable", 1, None)]
    assert read_receipt(content, digest) is None


def read_digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("field", "value"), [("tag", "dev_global/research/1.1"), ("commit", "z" * 40), ("by", "mallory")]
)
def test_an_entry_that_contradicts_its_receipt(field: str, value: str) -> None:
    """As where somebody rewrote the chain, and there are no anchors."""
    kept = record(msgspec.structs.replace(PLANNED, **{field: value}), answers={})
    assert ("contradiction", 1, field) in found(kept)


@pytest.mark.parametrize(
    ("stored", "now", "codes"),
    [
        (None, NOW, [("plan-missing", 1, None)]),
        (None, NOW + timedelta(days=100), []),
        ("0" * 64, NOW, [("plan-altered", 1, None)]),
    ],
)
def test_a_stored_plan(stored: str | None, now: datetime, codes: list[Any]) -> None:
    assert found(record(plans={RECEIPT.digest: stored}), now) == codes


def test_an_answer_that_is_gone_or_another_one() -> None:
    other = msgspec.structs.replace(ANSWER, reason="another").encode()
    for answers in ((), (other,)):
        assert found(record(answers={RECEIPT.digest: answers})) == [("answer-missing", 2, "answer")]


def test_a_copy_that_contradicts_its_answer() -> None:
    copy = msgspec.structs.replace(copy_of(ANSWER), by="mallory", kind="overridden")
    assert found(record(PLANNED, copy)) == [("contradiction", 2, "kind"), ("contradiction", 2, "by")]


def test_an_answer_that_only_codepipeline_vouches_for_has_no_original() -> None:
    copy = copy_of(msgspec.structs.replace(ANSWER, user_id=""))
    assert found(record(PLANNED, copy, answers={RECEIPT.digest: ()})) == []


def test_what_was_noted_of_a_tag() -> None:
    assert found(record(pins={TAG: None})) == [("pin-missing", None, None)]
    moved = record(pins={TAG: TagPin("0" * 40, RECEIPT.commit)})
    assert found(moved) == [("pin-altered", 1, "object"), ("tag-moved", None, None)]
    gone = record(pins={TAG: TagPin(RECEIPT.tag_object, "0" * 40)}, receipts={}, tags={})
    assert found(gone) == [("pin-altered", 1, "commit")]


def test_a_tag_that_the_repository_has_moved_or_does_not_have() -> None:
    assert found(record(tags={TAG: TagObject("0" * 40, RECEIPT.commit, None)})) == [("tag-moved", None, None)]
    missing = record(tags={TAG: None})
    assert found(missing) == []
    assert notes(missing) == (f"{TARGET}: the tag {TAG} is not in this repository (deleted, or not fetched)",)


def test_only_the_tag_s_own_plans_are_compared_with_its_pin() -> None:
    other = msgspec.structs.replace(PLANNED, tag="dev_global/research/2.0", commit="y" * 40, digest="d" * 64)
    pins = {TAG: TagPin(RECEIPT.tag_object, RECEIPT.commit), "dev_global/research/2.0": TagPin("o", "y" * 40)}
    assert found(record(PLANNED, other, pins=pins)) == []


def test_a_receipt_is_read_only_under_its_own_digest() -> None:
    assert isinstance(read_receipt(RECEIPT.encode(), RECEIPT.digest), PlanReceipt)
    assert read_receipt(RECEIPT.encode(), "0" * 64) is None
    assert read_receipt(None, RECEIPT.digest) is None
