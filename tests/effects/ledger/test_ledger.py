"""The ledger table, on the emulated AWS."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.audit.evidence import TagPin
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind
from tests.support.emulator import make_table

TABLE, REGION = "ledger", "us-east-1"


@pytest.fixture(scope="module")
def aws(module_boto_env: None) -> Session:
    session = Session(REGION)
    make_table(session, TABLE)
    return session


@pytest.fixture
def ledger(aws: Session) -> Ledger:
    return Ledger(aws, TABLE, REGION, "dev")


@pytest.fixture
def target() -> str:
    return f"team/{uuid.uuid4().hex}"


def draft(kind: Kind = "planned", tag: str = "t", **detail: Any) -> Draft:
    return Draft(kind, tag, "c", "me", "d", detail)


def add(ledger: Ledger, target: str, kind: Kind = "planned", **detail: Any) -> Entry:
    return ledger.append(target, lambda _: draft(kind, **detail))


def test_entries_are_read_back_newest_first(ledger: Ledger, target: str) -> None:
    assert ledger.history(target).entries == ()
    entries = [add(ledger, target, reason="ünïcödé \udcff"), add(ledger, target, "approved"), add(ledger, target)]
    found = ledger.history(target)
    assert list(found.entries) == [
        Entry(**{**{name: getattr(entry, name) for name in Entry.__struct_fields__}, "detail": detail})
        for entry, detail in zip(reversed(entries), ({}, {}, {"reason": "ünïcödé \ufffd"}), strict=True)
    ]
    assert [entry.seq for entry in found.entries] == [3, 2, 1]
    assert all(newer.previous == older.hash for newer, older in pairwise(found.entries))


def test_targets_do_not_see_each_other(ledger: Ledger, target: str) -> None:
    add(ledger, target)
    assert ledger.history(f"{target}x").last is None
    assert add(ledger, f"{target}x").seq == 1


def test_as_many_entries_are_read_as_asked_for_and_all_since_the_newest_apply(ledger: Ledger, target: str) -> None:
    add(ledger, target, "applied")
    for _ in range(7):
        add(ledger, target)
    assert [entry.seq for entry in ledger.history(target, 3).entries] == [8, 7, 6, 5, 4, 3, 2, 1]
    add(ledger, target, "applied")
    assert [entry.seq for entry in ledger.history(target, 3).entries] == [9, 8, 7]


def test_entries_of_more_than_one_page_are_read(ledger: Ledger, target: str) -> None:
    for _ in range(5):
        add(ledger, target, much="x" * 300_000)
    assert len(ledger.history(target).entries) == 5


@pytest.mark.slow
def test_of_many_writers_each_sees_those_before(ledger: Ledger, target: str) -> None:
    def decide(history: History) -> Draft:
        return draft(seen=len(history.entries))

    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(lambda _: ledger.append(target, decide), range(24)))
    assert sorted(entry.seq for entry in entries) == list(range(1, 25))
    assert all(entry.detail["seen"] == entry.seq - 1 for entry in entries)
    found = ledger.history(target).entries
    assert all(newer.previous == older.hash for newer, older in pairwise(found))


def test_only_the_first_of_many_deciders_goes_on(ledger: Ledger, target: str) -> None:
    def once(history: History) -> Draft:
        if history.newest("applying"):
            raise Refused("too late")
        return draft("applying")

    def attempt(_: int) -> bool:
        try:
            ledger.append(target, once)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert len(ledger.history(target).entries) == 1


def test_what_the_decision_raises_is_raised_and_nothing_is_written(ledger: Ledger, target: str) -> None:
    def refuse(_: History) -> Draft:
        raise Refused("no")

    with pytest.raises(Refused, match="no"):
        ledger.append(target, refuse)
    assert ledger.history(target).last is None


def test_a_ledger_in_which_somebody_else_is_always_first_gives_up(ledger: Ledger, target: str) -> None:
    def beaten(_: History) -> Draft:
        add(ledger, target)
        return draft("applied")

    with pytest.raises(DependencyError, match="written to so often"):
        ledger.append(target, beaten)
    assert ledger.history(target).newest("applied") is None


def test_an_entry_that_is_sent_twice_is_written_once(aws: Session, ledger: Ledger, target: str) -> None:
    """As the SDK does when the answer to the first request is lost."""
    client = aws.client("dynamodb", REGION)
    put = client.put_item

    def twice(**request: Any) -> Any:
        put(**request)
        return put(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "put_item", twice)
        written = add(ledger, target)
    assert ledger.history(target).entries == (written,)


@pytest.mark.parametrize("body", [None, "{", "{}", '{"seq": "x"}', "\u20ac"])
def test_an_entry_that_somebody_changed_is_refused(aws: Session, ledger: Ledger, target: str, body: str | None) -> None:
    item: dict[str, Any] = {"pk": {"S": f"target#{target}"}, "sk": {"S": "000000000001"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=item | ({} if body is None else {"body": {"S": body}}))
    with pytest.raises(Refused, match="an entry of the ledger ledger cannot be read"):
        ledger.history(target)


# Pins ---------------------------------------------------------------------------------------------------------------


def test_a_tag_is_what_it_was_when_it_was_first_seen(ledger: Ledger, target: str) -> None:
    tag, first = f"dev_global/{target}/1.0", TagPin("object-1", "commit-1")
    assert ledger.pinned(tag) is None
    for seen in (("object-1", "commit-1"), ("object-2", "commit-1"), ("object-1", "commit-2")):
        assert ledger.first_seen(tag, *seen) == first
    assert ledger.pinned(tag) == first


def test_of_two_first_sights_one_wins(ledger: Ledger, target: str) -> None:
    def see(number: int) -> TagPin:
        return ledger.first_seen(f"dev_global/{target}/1.0", f"object-{number}", "commit")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(see, range(16)))) == 1


def test_a_table_that_is_missing_is_made_by_bootstrap(aws: Session, target: str) -> None:
    missing = Ledger(aws, "no-such-table", REGION, "dev")
    for action in (
        lambda: missing.history(target),
        lambda: missing.first_seen("t", "o", "c"),
        lambda: add(missing, target),
    ):
        with pytest.raises(DependencyError) as error:
            action()
        assert "orchestrate bootstrap --env dev" in str(error.value.hint)
