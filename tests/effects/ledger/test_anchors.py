"""Anchors of the ledger's entries, on the emulated AWS: a table, and a bucket with Object Lock."""

from __future__ import annotations

import itertools
import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.anchors import Anchors
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.ledger.anchor import Anchor, anchor_key
from orchestrator.model.ledger.ledger import Draft, Entry, Stamp, following
from orchestrator.model.rules.config import ObjectLock
from tests.support.emulator import make_table
from tests.support.faults import InjectedFault, between

ACCOUNT, REGION, TABLE = "000000000000", "us-east-1", "anchored"


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    session = Session(REGION)
    make_table(session, TABLE)
    session.client("s3").create_bucket(Bucket="releases", ObjectLockEnabledForBucket=True)
    return session


@pytest.fixture
def target() -> str:
    return f"team/{uuid.uuid4().hex}"


def bucket(aws: Session, name: str = "releases") -> Bucket:
    return Bucket(aws, name, REGION, ACCOUNT, "dev")


def ledger(aws: Session, lock: ObjectLock | None = None, name: str = "releases") -> Ledger:
    """As another process has it."""
    return Ledger(aws, TABLE, REGION, "dev", Anchors(bucket(aws, name), lock))


def add(to: Ledger, target: str) -> Entry:
    return to.append(target, lambda _: Draft("planned", "t", "c", "me", "d", {"reason": "b\u00e4h"}))


def test_each_entry_is_anchored_under_its_hash(aws: Session, target: str) -> None:
    writing = ledger(aws)
    entries = [add(writing, target), add(writing, target), add(ledger(aws), target)]
    found = list(Anchors(bucket(aws)).versions(target))
    assert [Anchor.parse(each.key) for each in found] == [Anchor(target, e.seq, e.hash) for e in entries]
    assert all(each.latest and not each.deleted for each in found)
    assert [bucket(aws).version(each) for each in found] == [entry.encode() for entry in entries]
    assert [bucket(aws).sha256(each.key) for each in found] == [entry.hash for entry in entries]
    assert set(found) <= set(Anchors(bucket(aws)).versions())


def test_the_entry_of_somebody_who_was_killed_is_anchored_by_the_next(aws: Session, target: str) -> None:
    unanchored = [add(Ledger(aws, TABLE, REGION, "dev"), target)]
    with pytest.raises(DependencyError, match="does not exist"):
        add(ledger(aws, name="no-such-bucket"), target)
    entries = [*unanchored, add(ledger(aws), target)]
    assert [each.key for each in Anchors(bucket(aws)).versions(target)] == [anchor_key(entry) for entry in entries]


def test_where_nobody_can_look_for_anchors_nothing_is_recorded(aws: Session, target: str) -> None:
    with pytest.raises(DependencyError, match="anchors/"):
        add(ledger(aws, name="no-such-bucket"), target)
    assert ledger(aws).history(target).last is None


def test_on_a_record_whose_end_is_gone_nothing_is_written(aws: Session, target: str) -> None:
    for _ in range(3):
        add(ledger(aws), target)
    table = aws.client("dynamodb")
    for seq in (3, 2, 1):
        key = {"pk": {"S": f"target#{target}"}, "sk": {"S": f"{seq:012d}"}}
        item = table.get_item(TableName=TABLE, Key=key)["Item"]
        table.delete_item(TableName=TABLE, Key=key)
        with pytest.raises(Refused, match=f"entry {seq} was in the ledger"):
            add(ledger(aws), target)
    assert ledger(aws).history(target).last is None
    table.put_item(TableName=TABLE, Item=item)
    with pytest.raises(Refused, match="entry 2 was in the ledger"):
        add(ledger(aws), target)


@pytest.mark.parametrize("fits", [False, True])
def test_what_somebody_anchors_beforehand_does_not_stop_a_target_unless_it_can_be_put_back(
    aws: Session, target: str, fits: bool
) -> None:
    """Object Lock would keep it for years."""
    last = add(ledger(aws), target)
    forged = following(last if fits else None, target, Stamp("2026", "id"), Draft("applied", "t", "c", "mallory"))
    forged = msgspec.structs.replace(forged, seq=2)
    bucket(aws).put(anchor_key(forged), forged.encode())
    bucket(aws).put(Anchor(target, 2, "0" * 64).key, b"nothing that was ever an entry")
    if not fits:
        assert add(ledger(aws), target).seq == 2
        return
    with pytest.raises(Refused, match="entry 2 was in the ledger"):
        add(ledger(aws), target)


@pytest.mark.slow
def test_of_many_writers_none_takes_another_s_entry_for_a_lost_one(aws: Session, target: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        added = list(pool.map(lambda _: add(ledger(aws), target), range(12)))
    assert sorted(entry.seq for entry in added) == list(range(1, 13))


@pytest.mark.slow
def test_an_entry_is_written_once_while_aws_fails_every_other_request(
    aws: Session, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, or carried out with the answer lost: each request is asked a second time."""
    asked = itertools.count()
    faults = itertools.cycle(
        [
            InjectedFault(500, "InternalError", late=True),
            InjectedFault(503, "SlowDown"),
            InjectedFault(400, "ThrottlingException", late=True),
        ]
    )
    with between(os.environ["AWS_ENDPOINT_URL"], lambda _: next(faults) if next(asked) % 2 == 0 else None) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        failing = Session(REGION)
        entry = add(ledger(failing), target)
    assert next(asked) >= 8
    assert ledger(aws).history(target).entries == (entry,)
    assert [each.key for each in Anchors(bucket(aws)).versions(target)] == [anchor_key(entry)]


def test_an_anchor_is_written_once(aws: Session, target: str) -> None:
    entry = add(ledger(aws), target)
    ledger(aws).append(target, lambda _: Draft("approved", "t", "c", "me", "d"))
    kept = [each for each in Anchors(bucket(aws)).versions(target) if each.key == anchor_key(entry)]
    assert len(kept) == 1


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_with_object_lock_nobody_deletes_an_anchor(aws: Session, target: str, mode: str) -> None:
    locked = ledger(aws, ObjectLock(mode=mode, days=30))  # type: ignore[arg-type]
    add(locked, target)
    (found,) = Anchors(bucket(aws)).versions(target)
    kept = bucket(aws).retention(found)
    assert kept is not None
    assert kept.mode == mode
    assert 29 <= (kept.until - found.at).days <= 30
    s3 = aws.client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="releases", Key=found.key, VersionId=found.id)
    s3.delete_object(Bucket="releases", Key=found.key)
    mark, still = sorted(Anchors(bucket(aws)).versions(target), key=lambda each: each.latest, reverse=True)
    assert (mark.deleted, still.deleted) == (True, False)
    assert bucket(aws).version(still)


def test_without_object_lock_nothing_keeps_an_anchor(aws: Session, target: str) -> None:
    add(ledger(aws), target)
    (found,) = Anchors(bucket(aws)).versions(target)
    assert bucket(aws).retention(found) is None


def test_a_missing_object_has_no_hash(aws: Session) -> None:
    assert bucket(aws).sha256("none") is None
