"""`orchestrate show --receipt`, over a record that was written without Terraform."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.cli.main import main
from orchestrator.model.release.receipt import receipt_key
from tests.support.records import ALICE, RecordedStores, TeamRecord, archive

pytestmark = pytest.mark.slow

Show = Callable[..., Any]


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedStores]:
    with archive(tmp_path_factory.mktemp("show") / "repo", sandbox, "show") as made:
        yield made


@pytest.fixture
def books(kept: RecordedStores) -> TeamRecord:
    return kept.books()


@pytest.fixture
def show(kept: RecordedStores, capsys: pytest.CaptureFixture[str]) -> Show:
    def run(digest: str, *arguments: str, code: int = 0, format: str = "json") -> Any:
        where = ("--repo", str(kept.project.folder), "--format", format)
        ended = main(["show", "--receipt", digest, *where, *arguments])
        out, err = capsys.readouterr()
        assert ended == code, err
        return err if code else json.loads(out) if format == "json" else out

    return run


def test_a_receipt_is_verified_and_shown_with_all_that_is_recorded_of_it(show: Show, books: TeamRecord) -> None:
    receipt = books.release()
    found = show(receipt.digest)
    assert (found["digest"], found["verified"], found["state"]) == (receipt.digest, True, "applied")
    assert found["stored"] == f"s3://show-releases-dev/{receipt_key(books.target.id, receipt.digest)}"
    assert found["receipt"]["artefact"]["sha256"] == receipt.artefact.sha256
    kinds = ["checked", "planned", "approved", "applying", "applied"]
    assert [event["kind"] for event in found["events"]] == kinds
    text = show(receipt.digest[:12], "--env", "dev", format="text")
    assert f"Plan of {books.tag}" in text
    assert "its bytes have the digest" in text
    assert "state   applied" in text
    assert "lint passed" in text


def test_an_answer_that_waits_is_shown(show: Show, books: TeamRecord) -> None:
    receipt = books.plan(resources_after=7)
    assert show(receipt.digest)["state"] == "waiting"
    hint = f"`orchestrate gates --tag {books.tag}` shows what it needs"
    assert hint in show(receipt.digest, format="text")
    books.answer(receipt, "rejected")
    found = show(receipt.digest)
    assert (found["state"], found["by"]) == ("rejected", ALICE)
    assert [event["kind"] for event in found["events"]] == ["planned", "rejected"]
    text = show(receipt.digest, format="text")
    assert f"by {ALICE}" in text
    assert hint not in text


def test_a_receipt_of_other_content_or_none_is_refused(show: Show, books: TeamRecord) -> None:
    receipt = books.plan()
    key = receipt_key(books.target.id, receipt.digest)
    books.bucket.put(key, receipt.encode().replace(b'"add":1', b'"add":0'))
    assert "is not the one with digest" in show(receipt.digest, code=4)
    books.delete(key)
    assert "is no longer stored: somebody deleted it" in show(receipt.digest, code=4)
    books.delete(key, for_good=True)
    assert "is no longer stored: somebody deleted it" in show(receipt.digest[:20], code=4), "the ledger knows it"


def test_digests_that_name_none_or_several(show: Show, books: TeamRecord) -> None:
    for number in (0, 1):
        books.bucket.put(f"receipts/{books.target.id}/{'abcdef' * 2}{number}{'0' * 51}.json", b"{}")
    assert "may be any of" in show("abcdef" * 2, code=2)
    assert "there is no receipt" in show("f" * 64, code=3)
    for bad in ("abc", "g" * 12, "ABCDEF" * 2, "a" * 65):
        assert "is not a digest" in show(bad, code=2)
    assert "no --format env" in show("a" * 12, code=2, format="env")


def test_either_a_tag_or_a_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show"]) == 2
    assert main(["show", "--tag", "x", "--receipt", "y"]) == 2
    assert "name either a tag" in capsys.readouterr().err
