"""What has become of a plan."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from orchestrator.model.approval.approval import Answer
from orchestrator.model.audit.plan_status import PlanStatus, status
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind, Stamp, following
from tests.support.receipts import NOW, RECEIPT

DIGEST = RECEIPT.digest


def history(*kinds: tuple[Kind, str]) -> History:
    made: list[Entry] = []
    for number, (kind, digest) in enumerate(kinds):
        draft = Draft(kind, RECEIPT.tag, RECEIPT.commit, "me", digest)
        made.append(following(made[-1] if made else None, "x", Stamp(f"t{number}", str(number)), draft))
    return History(reversed(made))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([("planned", DIGEST)], PlanStatus("waiting")),
        ([("planned", DIGEST), ("approved", DIGEST)], PlanStatus("waiting")),
        ([("planned", DIGEST), ("rejected", DIGEST)], PlanStatus("rejected", "t1", "me")),
        ([("planned", DIGEST), ("applying", DIGEST)], PlanStatus("apply unfinished", "t1", "me")),
        ([("planned", DIGEST), ("applying", DIGEST), ("failed", DIGEST)], PlanStatus("failed", "t2", "me")),
        ([("planned", DIGEST), ("applying", DIGEST), ("applied", DIGEST)], PlanStatus("applied", "t2", "me")),
        ([("planned", DIGEST), ("applied", DIGEST), ("planned", "other")], PlanStatus("applied", "t1", "me")),
        ([("planned", DIGEST), ("planned", "other")], PlanStatus("withdrawn", "t1", "me")),
        ([("planned", "other"), ("rejected", "other"), ("planned", DIGEST)], PlanStatus("waiting")),
        ([("planned", "other")], PlanStatus("unknown")),
        ([], PlanStatus("unknown")),
    ],
)
def test_as_the_ledger_has_it(kinds: list[tuple[Kind, str]], expected: PlanStatus) -> None:
    assert status(history(*kinds), RECEIPT, [], NOW) == expected


def test_time_alone_ends_a_plan() -> None:
    found = status(history(("planned", DIGEST)), RECEIPT, [], NOW + timedelta(hours=2))
    assert found == PlanStatus("expired", RECEIPT.expires_at)


def test_a_rejection_counts_before_it_is_copied_into_the_chain() -> None:
    said = Answer(1, "rejected", "x", RECEIPT.tag, RECEIPT.commit, DIGEST, "bob", "AROA:bob", "t9", "no")
    assert status(history(("planned", DIGEST)), RECEIPT, [said], NOW) == PlanStatus("rejected", "t9", "bob")
    other = msgspec.structs.replace(said, digest="other")
    assert status(history(("planned", DIGEST)), RECEIPT, [other], NOW) == PlanStatus("waiting")
