"""What recovery asks AWS: builds, and Terraform's locks, on the emulated AWS."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.lease import LENGTH, length
from orchestrator.effects.pipeline.builds import Builds, own_build
from orchestrator.effects.state.locks import StateLocks, md5
from orchestrator.errors import DependencyError, Locked, UsageError
from orchestrator.model.release.recovery import StateLock
from orchestrator.model.rules.backend import Backend

REGION, BUCKET, TABLE, KEY = "us-east-1", "states-of-tests", "locks", "k/terraform.tfstate"


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    session = Session(REGION)
    session.client("s3").create_bucket(Bucket=BUCKET)
    session.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return session


def locks(aws: Session, table: str | None = TABLE, bucket: str = BUCKET) -> StateLocks:
    return StateLocks(aws, Backend(bucket, KEY, REGION, table, True), "000000000000", "dev")


def take(aws: Session, info: str) -> None:
    item: Any = {"LockID": {"S": f"{BUCKET}/{KEY}"}, "Info": {"S": info}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    aws.client("s3").put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=info.encode())


def test_a_lock_is_released_only_while_it_is_the_one_that_was_read(aws: Session) -> None:
    assert locks(aws).found() == ()
    take(aws, '{"ID": "one"}')
    first = locks(aws).found()
    assert [(lock.kept, lock.id) for lock in first] == [("lock table", "one"), ("lock file", "one")]
    take(aws, '{"ID": "two"}')
    assert [locks(aws).release(lock) for lock in first] == [False, False]
    assert [lock.id for lock in locks(aws, None).found()] == ["two"], "without a lock table there is the file alone"
    second = locks(aws).found()
    assert [locks(aws).release(lock) for lock in second] == [True, True]
    assert locks(aws).release(second[0]) is False
    assert locks(aws).found() == ()
    with pytest.raises(DependencyError):
        locks(aws, bucket="there-is-no-such-bucket").found()


def test_a_checksum_is_changed_only_where_it_is_the_expected_one(aws: Session) -> None:
    assert locks(aws).checksum() is None
    assert locks(aws, None).checksum() is None
    item: Any = {"LockID": {"S": f"{BUCKET}/{KEY}-md5"}, "Digest": {"S": md5(b"old")}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    assert not locks(aws).set_checksum(md5(b"other"), b"new")
    assert locks(aws).set_checksum(md5(b"old"), b"new")
    assert locks(aws).checksum() == md5(b"new")


def test_locks_are_taken_like_terraform_s_and_given_back(aws: Session) -> None:
    with locks(aws).taken('{"ID": "ours"}', lambda _: False):
        assert [(lock.kept, lock.id) for lock in locks(aws).found()] == [("lock table", "ours"), ("lock file", "ours")]
        with pytest.raises(Locked, match="lock ours of unknown"), locks(aws).taken('{"ID": "theirs"}', lambda _: False):
            pytest.fail("it is held")
    assert locks(aws).found() == ()
    take(aws, '{"ID": "dead"}')
    with locks(aws).taken('{"ID": "ours"}', lambda lock: lock.id == "dead"):
        assert {lock.id for lock in locks(aws).found()} == {"ours"}
    take(aws, '{"ID": "ours"}')
    with locks(aws).taken('{"ID": "ours"}', lambda _: False):
        """The write was repeated after its answer was lost."""
    assert locks(aws).found() == ()
    with locks(aws, None).taken("{}", lambda _: False):
        assert [lock.kept for lock in locks(aws).found()] == ["lock file"]
    locks(aws, None).write_checksum(b"there is no table")


def test_a_lock_that_is_given_back_and_taken_again_meanwhile_is_not_ours(aws: Session) -> None:
    """Between our two looks: its holder is dead, and before we take it another does."""

    def takes_it_first(lock: StateLock) -> bool:
        take(aws, '{"ID": "other"}')
        return True

    take(aws, '{"ID": "dead"}')
    with pytest.raises(Locked, match="other"), locks(aws).taken('{"ID": "ours"}', takes_it_first):
        pytest.fail("it is held")
    assert {lock.id for lock in locks(aws).found()} == {"other"}
    assert [locks(aws).release(lock) for lock in locks(aws).found()] == [True, True]


def test_a_build_that_codebuild_does_not_know_has_not_been_shown_to_have_ended(aws: Session) -> None:
    assert Builds(aws, REGION, "dev").ended("apply:1") is False
    assert own_build({"CODEBUILD_BUILD_ID": "apply:1"}) == "apply:1"
    assert own_build({}) == ""


def test_the_length_of_leases_has_limits() -> None:
    assert length({}) == LENGTH
    assert length({"ORCHESTRATE_LEASE_SECONDS": "15"}) == 15.0
    for wrong in ("1", "601", "a", "2.5", "²"):
        with pytest.raises(UsageError, match="from 2 to 600"):
            length({"ORCHESTRATE_LEASE_SECONDS": wrong})
