"""The record on the emulated AWS, in order and tampered with: whatever was done must be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from orchestrate_sandbox.process import Sandbox
from orchestrator.errors import Refused
from orchestrator.model.ledger.anchor import anchor_key
from orchestrator.model.ledger.ledger import Draft, Kind
from orchestrator.model.release.receipt import artefact_key, receipt_key
from orchestrator.model.text.canonical import sha256
from orchestrator.stages.context.selection import Selection
from orchestrator.stages.history.audit import Audit, audit
from orchestrator.stages.history.collect import collect
from tests.support.records import ARCHIVE, ME, RecordedStores, TeamRecord, archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedStores]:
    with archive(tmp_path_factory.mktemp("audit") / "repo", sandbox, "audit") as made:
        yield made


@pytest.fixture
def books(kept: RecordedStores) -> TeamRecord:
    """A team that has released once: five entries."""
    made = kept.books()
    made.release()
    return made


def audited(books: TeamRecord, *, plans: bool = True) -> Audit:
    return audit(collect(books.archive.rules, books.selection, books.archive.repository, plans=plans))


def found(books: TeamRecord, *, plans: bool = True) -> list[tuple[str, int | None, str | None]]:
    return [(f.code, f.seq, f.field) for each in audited(books, plans=plans).examined for f in each.flaws]


def test_what_was_written_is_clean(books: TeamRecord) -> None:
    seen = audited(books)
    assert (seen.flaws, seen.empty) == (0, False)
    (record,) = [each.record for each in seen.examined]
    assert len(record.stored) == len(record.anchors) == 5
    assert record.lock is None
    never = audit(collect(books.archive.rules, replace(books.selection, scope="global"), None, plans=True))
    assert (never.flaws, never.empty) == (0, True)


def test_an_altered_field_is_named(books: TeamRecord) -> None:
    forged = msgspec.structs.replace(books.entry(3), by="arn:mallory")
    books.put({**books.items()[2], "body": {"S": forged.encode().decode()}})
    assert ("altered", 3, "by") in found(books)


def test_a_deleted_middle_entry_is_named_with_what_it_was(books: TeamRecord) -> None:
    books.drop(books.items()[3])
    (finding,) = [finding for each in audited(books).examined for finding in each.flaws]
    assert (finding.code, finding.seq) == ("removed", 4)
    assert f"applying of {books.tag}" in finding.message


def test_a_tail_that_was_cut_off(books: TeamRecord) -> None:
    for item in books.items()[3:]:
        books.drop(item)
    assert found(books) == [("cut-off", 4, None), ("cut-off", 5, None)]


def test_a_ledger_that_is_empty_where_anchors_exist(books: TeamRecord) -> None:
    for item in books.items():
        books.drop(item)
    assert audited(books).empty
    assert [code for code, _, _ in found(books)] == ["cut-off"] * 5


def test_a_chain_that_was_replaced_as_a_whole(books: TeamRecord) -> None:
    """Every hash fits, every link fits: the anchors tell, and name what was changed."""
    books.forge(2, by="arn:mallory")
    books.rechain()
    flaws = found(books)
    assert flaws[0] == ("altered", 2, "by")
    assert flaws[1:4] == [("altered", number, "previous") for number in (3, 4, 5)]
    assert ("contradiction", 2, "by") in flaws


def test_an_old_head_that_was_put_back(books: TeamRecord) -> None:
    """An older state of the table is restored, and somebody else's program writes on top of it."""
    for item in books.items()[3:]:
        books.drop(item)
    with pytest.raises(Refused, match="entry 4 was in the ledger"):
        books.add("failed", reason="not so bad")
    anchors = books.ledger.anchors
    assert anchors is not None
    draft = Draft("failed", books.tag, books.commit, ME, None, {"reason": "not so bad"})
    anchors.put(replace(books.ledger, anchors=None).append(books.target.id, lambda _: draft))
    flaws = found(books)
    assert ("two-anchors", 4, None) in flaws
    assert ("cut-off", 5, None) in flaws


def test_receipts_of_two_targets_that_were_swapped(books: TeamRecord, kept: RecordedStores) -> None:
    other = kept.books()
    theirs = receipt_key(other.target.id, other.release().digest)
    ours = receipt_key(books.target.id, books.entry(2).digest or "")
    contents = {ours: books.bucket.get(theirs) or b"", theirs: books.bucket.get(ours) or b""}
    for key, content in contents.items():
        books.bucket.put(key, content)
    for each in (books, other):
        flaws = found(each)
        assert {code for code, _, _ in flaws} == {"receipt-altered"}
        assert {"place.target", "tag"} <= {field for _, _, field in flaws}


def test_an_edited_receipt(books: TeamRecord) -> None:
    key = receipt_key(books.target.id, books.entry(2).digest or "")
    books.bucket.put(key, (books.bucket.get(key) or b"").replace(b'"add":1', b'"add":0'))
    assert found(books) == [("receipt-altered", 2, "summary.add")]
    books.delete(key)
    (finding,) = [finding for each in audited(books).examined for finding in each.flaws]
    assert (finding.code, "an older version of it is still there" in finding.message) == ("receipt-missing", True)
    books.delete(key, for_good=True)
    assert found(books) == [("receipt-missing", 2, None)]


def test_an_edited_and_a_deleted_plan(books: TeamRecord) -> None:
    plan = artefact_key(books.target.id, sha256(ARCHIVE))
    books.bucket.put(plan, b"another plan")
    assert found(books) == [("plan-altered", 2, None)]
    assert found(books, plans=False) == []
    books.delete(plan)
    assert found(books) == [("plan-missing", 2, None)]


@pytest.mark.parametrize("number", [2, 5])
def test_a_deleted_anchor(books: TeamRecord, number: int) -> None:
    key = anchor_key(books.entry(number))
    books.delete(key)
    assert found(books) == [("anchor-deleted", number, None)]
    books.delete(key, for_good=True)
    assert found(books) == [("anchor-missing", number, None)]


def test_an_anchor_that_was_written_over_with_the_entry(books: TeamRecord) -> None:
    key = anchor_key(books.entry(5))
    books.bucket.put(key, books.forge(5, by="arn:mallory").encode())
    assert set(found(books)) == {("anchor-replaced", 5, None), ("altered", 5, "by")}, "the first version counts"


def test_an_answer_that_was_changed_or_removed(books: TeamRecord) -> None:
    key = {"pk": {"S": f"approval#AROA:alice#{books.team}"}, "sk": {"S": f"{books.entry(2).digest}#approved"}}
    item = dict(books.aws.client("dynamodb").get_item(TableName=books.table, Key=key)["Item"])
    gone = [("answer-missing", 3, "answer")]
    books.put({**item, "body": {"S": item["body"]["S"].replace("fine", "not fine")}})
    assert found(books) == gone
    books.put({**item, "body": {"S": "{}"}})
    assert found(books) == gone
    books.drop(item)
    assert found(books) == gone


def test_a_tag_that_was_moved_and_a_pin_that_was_changed_to_fit(books: TeamRecord) -> None:
    project = books.archive.project
    project.git("tag", "--delete", books.tag)
    project.commit({"modules/workload/main.tf": "# another\n"})
    moved = project.tag(books.tag)
    assert found(books) == [("tag-moved", None, None)]
    pin = {"pk": {"S": f"tag#{books.tag}"}, "sk": {"S": "pin"}}
    books.put({**pin, "object": {"S": moved}, "commit": {"S": books.commit}})
    assert found(books) == [("pin-altered", 2, "commit"), ("pin-altered", 2, "object")]
    books.drop(pin)
    assert found(books) == [("pin-missing", None, None)]
    project.git("tag", "--delete", books.tag)
    assert [note for note in audited(books).notes if books.tag in note]


def test_a_target_that_the_rules_no_longer_know(books: TeamRecord) -> None:
    rules = books.archive.rules
    dev = rules.environments["dev"]
    fewer = msgspec.structs.replace(dev, teams={"team59": dev.teams["team59"]})
    records = collect(replace(rules, environments={"dev": fewer}), Selection(), None, plans=False)
    assert {books.target.id, "_refused"} <= {record.target for record in records}


def test_with_object_lock_it_is_said_how_long_the_anchors_are_kept(
    sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lock = ", object_lock: {mode: COMPLIANCE, days: 7}"
    with archive(tmp_path_factory.mktemp("locked") / "repo", sandbox, "locked", lock) as made:
        books = made.books()
        books.release()
        (each,) = audited(books).examined
        assert each.record.lock is not None
        assert each.record.lock.mode == "COMPLIANCE"
        assert each.flaws == ()
        with pytest.raises(books.aws.client("s3").exceptions.ClientError, match="AccessDenied"):
            books.delete(anchor_key(books.entry(1)), for_good=True)


def test_rules_that_do_not_follow_from_those_before_are_told(kept: RecordedStores, books: TeamRecord) -> None:
    """As a client writes them that asks no gate; a refusal by other rules decides nothing."""
    project, first = kept.project, kept.project.git("rev-parse", "HEAD")
    later = project.git("commit-tree", "-m", "later", "HEAD^{tree}", "-p", "HEAD")
    elsewhere = project.git("commit-tree", "-m", "elsewhere", "HEAD^{tree}")
    decided: list[tuple[str, Kind]] = [
        (first, "checked"),
        (later, "checked"),
        (elsewhere, "refused"),
        (later, "checked"),
    ]
    for commit, kind in decided:
        books.add_draft(Draft(kind, books.tag, books.commit, ME, None, {"check": "lint"}).under(commit))

    def flaws() -> list[tuple[str, int | None]]:
        records = collect(kept.rules, books.selection, kept.repository, plans=True)
        seen = audit(records, descends=kept.repository.follows)
        return [(flaw.code, flaw.seq) for each in seen.examined for flaw in each.flaws]

    assert flaws() == []
    books.add_draft(Draft("checked", books.tag, books.commit, ME, None, {"check": "lint"}).under(elsewhere))
    assert flaws() == [("rules-elsewhere", 10)]
