"""The chain of a target during one run, on the emulated AWS."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from orchestrator.effects.aws.session import Session
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.effects.ledger.target_chain import TargetChain
from orchestrator.errors import DependencyError, Refused
from orchestrator.model.ledger.ledger import Draft, History, Kind
from tests.support.emulator import make_table

TABLE, REGION = "chains", "us-east-1"


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


def draft(kind: Kind = "planned", **detail: object) -> Draft:
    return Draft(kind, "t", "c", "me", "d", dict(detail))


def says(kind: Kind, history: History) -> Draft:
    return draft(kind, seen=len(history.entries))


@contextmanager
def counted(aws: Session) -> Iterator[list[str]]:
    """The requests that DynamoDB is sent meanwhile."""
    seen: list[str] = []
    events = aws.client("dynamodb", REGION).meta.events

    def note(model: object, **_: object) -> None:
        seen.append(getattr(model, "name", ""))

    events.register("before-call.dynamodb.*", note)
    try:
        yield seen
    finally:
        events.unregister("before-call.dynamodb.*", note)


def test_a_run_reads_once_and_carries_on_with_what_it_adds(aws: Session, ledger: Ledger, target: str) -> None:
    chain = TargetChain(ledger, target)
    with counted(aws) as requests:
        assert chain.history.last is None
        for kind in ("planning", "planned", "applying"):
            chain.append(lambda history, kind=kind: says(kind, history))  # type: ignore[misc]
        known = chain.history
    assert requests.count("Query") == 1
    assert known.entries == ledger.history(target).entries
    assert [entry.detail["seen"] for entry in known.entries] == [2, 1, 0]


def test_what_another_adds_first_is_seen_before_the_decision_counts(ledger: Ledger, target: str) -> None:
    chain = TargetChain(ledger, target)
    chain.append(lambda _: draft())
    ledger.append(target, lambda _: draft("approved"))
    entry = chain.append(lambda history: says("applying", history))
    assert (entry.seq, entry.detail["seen"]) == (3, 2)
    assert chain.history.entries == ledger.history(target).entries


def test_two_runs_that_know_the_same_do_not_both_begin(ledger: Ledger, target: str) -> None:
    def once(history: History) -> Draft:
        if history.newest("applying") is not None:
            raise Refused("too late")
        return draft("applying")

    def begins(chain: TargetChain) -> bool:
        try:
            chain.append(once)
        except Refused:
            return False
        return True

    ledger.append(target, lambda _: draft())
    chains = [TargetChain(ledger, target) for _ in range(6)]
    assert {len(chain.history.entries) for chain in chains} == {1}
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(begins, chains)) == 1


def test_a_refusal_by_what_is_out_of_date_is_none(ledger: Ledger, target: str) -> None:
    def after_approval(history: History) -> Draft:
        if history.newest("approved") is None:
            raise Refused("nobody has approved it")
        return draft("applying")

    chain = TargetChain(ledger, target)
    chain.append(lambda _: draft())
    with pytest.raises(Refused, match="nobody has approved"):
        chain.append(after_approval)
    assert chain.history.last is not None
    ledger.append(target, lambda _: draft("approved"))
    assert chain.append(after_approval).seq == 3


@pytest.mark.parametrize("change", ["removed", "altered"])
def test_nothing_follows_an_entry_that_no_longer_stands(aws: Session, ledger: Ledger, target: str, change: str) -> None:
    """Without anchors the next entry takes the place of the removed one; it never leaves a gap."""
    chain = TargetChain(ledger, target)
    chain.append(lambda _: draft())
    last = chain.append(lambda _: draft("approved"))
    key = {"pk": {"S": f"target#{target}"}, "sk": {"S": f"{last.seq:012d}"}}
    dynamodb = aws.client("dynamodb", REGION)
    item = dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    dynamodb.delete_item(TableName=TABLE, Key=key)
    if change == "altered":
        body = item["body"]["S"].replace('"approved"', '"rejected"')
        dynamodb.put_item(TableName=TABLE, Item={**item, "body": {"S": body}})
    entry = chain.append(lambda history: says("applying", history))
    assert entry.seq == (2 if change == "removed" else 3)
    assert entry.detail["seen"] == entry.seq - 1
    assert entry.previous == ledger.history(target).entries[1].hash


def test_after_an_error_the_ledger_is_asked_again(aws: Session, ledger: Ledger, target: str) -> None:
    chain = TargetChain(ledger, target)
    chain.append(lambda _: draft())
    events = aws.client("dynamodb", REGION).meta.events

    def cut(**_: object) -> None:
        from botocore.exceptions import EndpointConnectionError

        raise EndpointConnectionError(endpoint_url="http://gone")

    events.register("before-call.dynamodb.PutItem", cut)
    try:
        with pytest.raises(DependencyError):
            chain.append(lambda _: draft("approved"))
    finally:
        events.unregister("before-call.dynamodb.PutItem", cut)
    with counted(aws) as requests:
        assert len(chain.history.entries) == 1
    assert requests == ["Query"]


def test_who_waited_for_a_person_reads_again(ledger: Ledger, target: str) -> None:
    chain = TargetChain(ledger, target)
    assert chain.history.last is None
    ledger.append(target, lambda _: draft())
    assert chain.history.last is None
    assert chain.read().last is not None
    assert chain.history.last is not None
