"""Broken glass that nobody has followed up."""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.model.approval.approval import Answer, copy_of
from orchestrator.model.approval.break_glass import BrokenGlass, due
from orchestrator.model.ledger.ledger import Entry, History, Stamp, following

GLASS = Answer(
    version=1,
    kind="break-glass",
    target="research/prod-global",
    tag="prod_global/research/1.0",
    commit="c",
    digest="d",
    by="olga",
    user_id="AROA:olga",
    at="2026-01-01T03:10:00+00:00",
    reason="orders are lost",
    notified="a topic, message 1",
)
NOTE = replace(GLASS, kind="followed-up", by="anna", at="2026-01-02T09:00:00+00:00", notified="")
BROKEN = BrokenGlass(GLASS.tag, "d", "olga", GLASS.at, GLASS.reason, GLASS.notified)


def chain(*answers: Answer) -> History:
    entries: list[Entry] = []
    for number, answer in enumerate(answers):
        stamp = Stamp("2026-01-03T00:00:00+00:00", str(number))
        entries.insert(0, following(entries[0] if entries else None, answer.target, stamp, copy_of(answer)))
    return History(entries)


def test_it_is_due_wherever_the_answer_stands_and_once() -> None:
    assert due(chain()) == ()
    assert due(chain(GLASS)) == due(chain(), [GLASS]) == due(chain(GLASS), [GLASS]) == (BROKEN,)


def test_a_follow_up_ends_it_wherever_it_stands() -> None:
    assert due(chain(GLASS, NOTE)) == due(chain(GLASS), [NOTE]) == due(chain(), [NOTE, GLASS]) == ()


def test_a_follow_up_is_of_one_plan() -> None:
    other = replace(GLASS, digest="e", at="2026-01-01T00:00:00+00:00", notified="")
    found = due(chain(GLASS, replace(GLASS, kind="approved"), NOTE), [other])
    assert [(each.digest, each.notified) for each in found] == [("e", "")]
    assert [each.digest for each in due(chain(GLASS), [other])] == ["e", "d"], "oldest first"
