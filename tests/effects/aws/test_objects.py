"""Objects in a bucket of the sandbox."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from orchestrator.effects.aws.objects import Bucket
from orchestrator.effects.aws.session import Session
from orchestrator.errors import DependencyError

ACCOUNT = "000000000000"
REGION: Final = "eu-central-1"


@pytest.fixture(scope="module")
def bucket(module_boto_env: None) -> Bucket:
    aws = Session(REGION)
    aws.client("s3").create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": REGION})
    return Bucket(aws, "objects", REGION, ACCOUNT, "dev")


def test_what_was_written_is_read(bucket: Bucket) -> None:
    assert bucket.put("receipts/ä b", b"\x00content", metadata={"digest": "sha256:1"})
    assert bucket.get("receipts/ä b") == b"\x00content"
    head = bucket.aws.client("s3", REGION).head_object(Bucket="objects", Key="receipts/ä b")
    assert head["Metadata"] == {"digest": "sha256:1"}


def test_a_missing_object_is_none(bucket: Bucket, tmp_path: Path) -> None:
    assert bucket.get("none") is None
    assert not bucket.download("none", tmp_path / "none")
    assert not list(tmp_path.iterdir())


def test_a_file_is_written_and_downloaded_for_its_owner_alone(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "plan").write_bytes(b"x" * 3_000_000)
    bucket.put("plans/1", tmp_path / "plan")
    old = os.umask(0)
    try:
        assert bucket.download("plans/1", tmp_path / "copy")
    finally:
        os.umask(old)
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "plan").read_bytes()
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


def test_a_download_replaces_what_was_there_and_leaves_nothing_else(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("old")
    bucket.put("plans/2", b"new")
    bucket.download("plans/2", tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    assert (tmp_path / "copy").read_text() == "new"


def test_a_download_that_fails_leaves_what_was_there(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("plans/3", b"new")
    (tmp_path / "copy").mkdir()
    with pytest.raises(OSError, match="directory"):
        bucket.download("plans/3", tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_an_object_that_exists_is_not_overwritten(bucket: Bucket) -> None:
    assert bucket.put("receipts/1", b"first", if_none_match=True)
    assert not bucket.put("receipts/1", b"second", if_none_match=True)
    assert bucket.get("receipts/1") == b"first"


def test_of_many_writers_at_once_one_wins(bucket: Bucket) -> None:
    def write(number: int) -> bool:
        return bucket.put("receipts/race", b"%d" % number, if_none_match=True)

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, was_first in enumerate(pool.map(write, range(8))) if was_first]
    assert [b"%d" % number for number in won] == [bucket.get("receipts/race")]


def test_a_bucket_of_another_account_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    foreign = replace(bucket, owner="999999999999")
    for use in (
        lambda: foreign.put("key", b"secret"),
        lambda: foreign.get("key"),
        lambda: foreign.download("key", tmp_path / "copy"),
    ):
        with pytest.raises(DependencyError, match=r"s3://objects/key: access denied"):
            use()


def test_a_missing_bucket_points_to_bootstrap(bucket: Bucket) -> None:
    with pytest.raises(DependencyError, match=r"orchestrate bootstrap --env dev"):
        replace(bucket, name="no-such-bucket").get("key")
