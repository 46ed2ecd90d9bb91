"""A record as files, and read back again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.model.audit.bundle import SUMS, damage, folder_of, read_records, record_files, safe, with_sums
from orchestrator.model.audit.evidence import Kept, Lock, Record, TagObject, examine
from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.chain import Anchored, Stored
from tests.support.evidence import NOW, TAG, record
from tests.support.receipts import RECEIPT

TAG_CONTENT = b"object " + b"b" * 40 + b"\ntype commit\ntag x\n"


def git_id(content: bytes, algorithm: str = "sha1") -> str:
    return hashlib.new(algorithm, b"tag %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def whole(**changes: Any) -> Record:
    tag = TagObject(git_id(TAG_CONTENT), RECEIPT.commit, TAG_CONTENT)
    return replace(record(tags={TAG: tag}, lock=Lock("COMPLIANCE", "2027-01-01T00:00:00+00:00")), **changes)


@pytest.mark.parametrize(
    "kept",
    [
        whole(),
        Record("acme-tf-ledger-dev", "_refused", ()),
        whole(receipts={RECEIPT.digest: Kept(None, RECEIPT.encode())}, plans={RECEIPT.digest: None}),
        whole(tags={}, lock=None),
        whole(tags={TAG: None}, pins={TAG: None}),
        whole(anchors=(Anchored(Anchor(record().target, 1, "0" * 64), 2, True, b"{}"),)),
        whole(stored=(Stored("../../evil", "\udcff"), Stored("", "x"))),
        whole(tags={TAG: TagObject(git_id(TAG_CONTENT, "sha256"), RECEIPT.commit, TAG_CONTENT)}),
        whole(tags={TAG: TagObject(RECEIPT.commit, RECEIPT.commit, None)}),
    ],
)
def test_what_is_read_back_is_what_was_written(kept: Record) -> None:
    files = with_sums(record_files(kept))
    assert list(damage(files)) == []
    assert files == with_sums(record_files(kept))
    assert all(".." not in name.split("/") for name in files)
    (read,), wrong = read_records(files)
    assert wrong == ()
    assert read == kept
    assert examine(read, NOW) == examine(kept, NOW)


@given(st.text(st.characters(), max_size=30))
@example("../..")
@example("/etc")
@example("\udcff")
def test_a_name_stays_in_its_folder(name: str) -> None:
    path = PurePosixPath("top") / safe(name)
    assert path.parts[0] == "top"
    assert len(path.parts) == len(name.split("/")) + 1
    assert not {".", ".."} & set(path.parts)
    assert "\n" not in str(path)


def test_whatever_is_changed_in_a_bundle_is_found() -> None:
    files = with_sums(record_files(whole()))
    name = f"{folder_of(whole())}/receipts/{RECEIPT.digest}.json"
    assert list(damage({**files, name: b"{}"})) == [f"{name} was changed"]
    assert list(damage({key: value for key, value in files.items() if key != name})) == [f"{name} is missing"]
    assert list(damage({**files, "more": b""})) == ["more is in no list of the export"]
    assert list(damage({key: value for key, value in files.items() if key != SUMS})) == [f"{SUMS} is missing"]


def test_what_cannot_be_read_is_named() -> None:
    files = record_files(whole())
    sheet = f"{folder_of(whole())}/record.json"
    for content in (b"{", b"\xff", files[sheet].replace(b'"version": 1', b'"version": 9')):
        records, wrong = read_records({**files, sheet: content})
        assert records == ()
        assert wrong[0].startswith(f"{sheet} cannot be read")
    without = {name: content for name, content in files.items() if "/chain/" not in name}
    assert "cannot be read" in read_records(without)[1][0]


def test_a_tag_object_that_is_not_the_one_of_its_name() -> None:
    files = record_files(whole())
    (name,) = [name for name in files if "/tags/" in name]
    _, wrong = read_records({**files, name: files[name] + b"x"})
    assert wrong == (f"{name} is not the tag object {git_id(TAG_CONTENT)}",)


def test_a_forger_who_makes_the_sums_fit_is_still_found() -> None:
    """The sums only tell of accidents; the hashes that join entries, receipts and anchors tell of forgers."""
    files = record_files(whole())
    chain = f"{folder_of(whole())}/chain/000000000001.json"
    forged = with_sums({**files, chain: files[chain].replace(b"user/me", b"user/you")})
    assert list(damage(forged)) == []
    (read,), _ = read_records(forged)
    assert {finding.code for finding in examine(read, NOW)} >= {"altered"}
