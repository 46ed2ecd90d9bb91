"""Entries in words, links and order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.model.approval.approval import Answer, copy_of
from orchestrator.model.audit.timeline import (
    EntryContext,
    Event,
    distinct,
    in_order,
    is_told,
    rows,
    since,
    summary,
    waiting,
)
from orchestrator.model.ledger.ledger import Draft, Entry, Kind, Stamp, following

PLACE = EntryContext("dev", "us-east-1", "aws", "acme-tf-releases-dev", "acme-tf-dev")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ANSWER = Answer(1, "approved", "research/dev-global", "t", "c", "d", "arn:alice", "AROA:alice", NOW.isoformat(), "fine")


def entry(kind: Kind, after: Entry | None = None, at: str = "2026-01-01T00:00:00+00:00", **detail: Any) -> Entry:
    return following(after, "research/dev-global", Stamp(at, "id"), Draft(kind, "t", "c", "me", "d", detail))


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("checked", {"check": "lint", "passed": True, "findings": 0}, "lint passed"),
        ("checked", {"check": "scan", "passed": False, "findings": 1}, "scan failed (1 finding)"),
        ("checked", {"check": "scan", "passed": False, "findings": 2}, "scan failed (2 findings)"),
        ("planned", {"summary": {"add": 1}, "changes": True}, "1 to add, 0 to change, 0 to destroy, 0 to replace"),
        ("planned", {"summary": {"add": 0}, "changes": True}, "only outputs change"),
        ("planned", {"summary": {"add": 0}, "changes": False}, "no changes"),
        ("planned", {"summary": "x"}, ""),
        ("refused", {"action": "apply", "reason": "it is\nclosed"}, "apply: it is closed"),
        ("refused", {"reason": "moved"}, "moved"),
        ("stopped", {"execution": "1-2", "reason": "Build failed"}, "Build failed execution 1-2"),
        ("applied", {"result": "no changes"}, "no changes"),
        ("applied", {"result": "applied"}, ""),
        ("failed", {"reason": "x\x1b[31my"}, "x\\x1b[31my"),
        ("recovered", {"ended": ["applied", "not begun"]}, "applied, not begun"),
        ("approved", {"reason": "looks good"}, "looks good"),
        ("verified", {"url": "http://x/"}, "http://x/"),
    ],
)
def test_an_entry_in_a_few_words(kind: Kind, detail: dict[str, Any], said: str) -> None:
    assert Event(PLACE, entry(kind, **detail)).summary == said


def test_a_long_reason_is_cut() -> None:
    assert len(summary(entry("failed", reason="x" * 500))) == 200


def test_links_lead_to_receipt_execution_and_page() -> None:
    assert Event(PLACE, entry("checked")).links == {}
    found = entry("submitted", receipt="receipts/x.json", execution="1/2", url="http://x/")
    assert Event(PLACE, found).links == {
        "receipt": "s3://acme-tf-releases-dev/receipts/x.json",
        "execution": "https://us-east-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/acme-tf-dev/executions/"
        "1%2F2/timeline?region=us-east-1",
        "url": "http://x/",
    }


def test_events_are_in_order_and_what_is_not_in_the_chain_comes_last_in_its_second() -> None:
    first = entry("planned", at=NOW.isoformat())
    second = entry("checked", first, at=NOW.isoformat())
    early = entry("checked", second)
    events = [waiting(PLACE, ANSWER), Event(PLACE, second), Event(PLACE, first), Event(PLACE, early)]
    ordered = in_order(events)
    assert [event.entry.kind for event in ordered] == ["checked", "planned", "checked", "approved"]
    assert [event.in_chain for event in ordered] == [True, True, True, False]


def events(*entries: Entry, env: str = "dev") -> list[Event]:
    return [Event(replace(PLACE, env=env), each) for each in entries]


def test_the_same_refusal_again_is_told_once_with_how_often() -> None:
    refused = [entry("stopped", at=f"2026-01-01T00:0{n}:00+00:00", action="plan", reason="too much") for n in range(3)]
    planning = [entry("planning", at=f"2026-01-01T00:0{n}:30+00:00") for n in range(4)]
    other = entry("checked", check="lint", passed=True)
    tried = [planning[0], refused[0], planning[1], refused[1], planning[2], refused[2]]
    found = rows(events(*tried, planning[3]))
    assert [row.event.entry for row in found] == [planning[0], refused[0], planning[3]]
    assert found[1].summary == "plan: too much (3 times, at last 2026-01-01T00:02:00+00:00)"
    assert [row.summary for row in rows(events(refused[0]))] == ["plan: too much"]
    assert [row.times for row in rows(events(*tried[:3], other, refused[1]))] == [1] * 5, "something happened between"
    assert [row.times for row in rows([*events(*tried[:3]), *events(refused[1], env="qa"), *events(refused[1])])] == [
        1,
        2,
        1,
    ], "of each target by itself"
    assert len(rows(events(refused[0], entry("stopped", action="plan", reason="another")))) == 2


def copied(answer: Answer, user_id: str, at: str = "") -> Entry:
    import msgspec

    draft = copy_of(msgspec.structs.replace(answer, user_id=user_id))
    return following(None, answer.target, Stamp(at, user_id), draft)


def test_an_approval_of_the_ledger_that_codepipeline_reports_too_is_shown_once() -> None:
    ours, reported = copied(ANSWER, "AROA:alice"), copied(ANSWER, "")
    assert distinct([reported, ours, entry("checked")]) == [ours, entry("checked")]
    assert distinct([reported]) == [reported]
    assert is_told([reported], ANSWER)
    assert not is_told([entry("planned")], ANSWER)


@pytest.mark.parametrize(
    ("text", "from_"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T08:00:00+01:00", "2026-03-01T07:00:00+00:00"),
        ("12h", "2026-03-03T17:06:07+00:00"),
        ("30d", "2026-02-02T05:06:07+00:00"),
    ],
)
def test_a_time_as_people_write_it(text: str, from_: str) -> None:
    assert since(text, NOW) == from_


@given(st.text(max_size=12))
def test_any_other_text_is_an_error_for_people(text: str) -> None:
    with suppress(UsageError):
        assert datetime.fromisoformat(since(text, NOW)).tzinfo is not None


@pytest.mark.parametrize("text", ["99999999h", "0d", "yesterday", "9999-12-31T23:59:59-23:59", "12 h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        since(text, NOW)
