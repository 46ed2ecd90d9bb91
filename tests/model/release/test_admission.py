"""May a stored plan still be applied?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind, Stamp, following
from orchestrator.model.release.admission import moved, repointed, superseded, unapplied, withdrawn_reason, withdraws
from orchestrator.model.rules.tag import Tag


def tag(version: str) -> str:
    return f"dev_global/research/{version}"


def history(*records: tuple[Kind, str, str | None]) -> History:
    """Of records (kind, version, digest), oldest first."""
    entries: list[Entry] = []
    for number, (kind, version, digest) in enumerate(records):
        stamp = Stamp(f"2026-01-01T00:00:{number:02}+00:00", str(number))
        last = entries[0] if entries else None
        entries.insert(0, following(last, "research/dev-global", stamp, Draft(kind, tag(version), "c", "me", digest)))
    return History(entries)


def test_a_plan_that_the_ledger_does_not_know() -> None:
    assert (
        withdrawn_reason(history(), tag("1.0"), "d1") == "the plan d1 of dev_global/research/1.0 is not in the ledger"
    )


def test_the_newest_plan_of_the_target_stands() -> None:
    found = history(("planned", "1.0", "d1"), ("planned", "1.1", "d2"), ("checked", "1.2", None))
    assert withdrawn_reason(found, tag("1.1"), "d2") is None
    why = withdrawn_reason(found, tag("1.0"), "d1")
    assert why is not None
    assert "newer plan of this target, of dev_global/research/1.1, was stored at 2026-01-01T00:00:01+00:00 by me" in why


def test_a_second_plan_of_the_same_tag_withdraws_the_first() -> None:
    found = history(("planned", "1.0", "d1"), ("planned", "1.0", "d2"))
    assert withdrawn_reason(found, tag("1.0"), "d1") is not None
    assert withdrawn_reason(found, tag("1.0"), "d2") is None


def test_the_chain_tells_of_a_moved_tag_though_its_pin_is_gone() -> None:
    found = history(("planned", "1.0", "d1"), ("refused", "1.1", None))
    assert moved(found, tag("1.0"), "c") is None
    assert moved(found, tag("1.1"), "another") is None, "it was never planned"
    told = moved(found, tag("1.0"), "another")
    assert told is not None
    assert told.endswith("has been moved: at 2026-01-01T00:00:00+00:00 it was planned as commit c, now it is another")


def test_the_newest_plan_of_a_tag_waits_until_its_apply_begins_whatever_is_planned_or_said_meanwhile() -> None:
    planned: list[tuple[Kind, str, str | None]] = [("planned", "1.0", "d1"), ("planned", "1.0", "d2")]
    assert unapplied(history(), tag("1.0")) is None
    assert unapplied(history(*planned), tag("1.1")) is None
    meanwhile: list[tuple[Kind, str, str | None]] = [("rejected", "1.0", "d2"), ("planned", "1.1", "d3")]
    assert unapplied(history(*planned, *meanwhile, ("applied", "1.1", "d3")), tag("1.0")) == "d2"
    begun: list[Kind] = ["applying", "applied"]
    for kind in begun:
        assert unapplied(history(*planned, (kind, "1.0", "d2"), *meanwhile), tag("1.0")) is None


def test_a_new_plan_withdraws_the_one_that_waits_and_no_other() -> None:
    assert withdraws(history()) is None
    assert withdraws(history(("planned", "1.0", "d1"))) == "d1"
    assert withdraws(history(("planned", "1.0", "d1"), ("planned", "1.0", "d2"))) == "d2"
    assert withdraws(history(("planned", "1.0", "d1"), ("approved", "1.0", "d1"))) == "d1"
    ends: list[Kind] = ["applying", "applied", "rejected"]
    for end in ends:
        assert withdraws(history(("planned", "1.0", "d1"), (end, "1.0", "d1"))) is None


def test_a_version_older_than_one_that_was_applied_comes_too_late() -> None:
    found = history(("applied", "1.9", "a"), ("applied", "1.10", "b"), ("applied", "1.2", "c"), ("failed", "2.0", "d"))
    assert superseded(found, Tag.parse(tag("1.9"))) == (
        f"{tag('1.9')} is older than 1.10, which was applied to this target at 2026-01-01T00:00:01+00:00 by me"
    )
    assert superseded(found, Tag.parse(tag("1.10.0"))) is None
    assert superseded(found, Tag.parse(tag("1.11-rc.1"))) is None
    assert superseded(history(), Tag.parse(tag("1.0"))) is None


@given(st.lists(st.integers(0, 30), max_size=6), st.integers(0, 30))
def test_only_the_newest_version_that_was_applied_decides(applied: list[int], minor: int) -> None:
    found = history(*(("applied", f"1.{each}", "d") for each in applied))
    assert (superseded(found, Tag.parse(tag(f"1.{minor}"))) is not None) == any(each > minor for each in applied)


def test_a_tag_that_points_elsewhere_is_told_with_both_commits() -> None:
    seen, now = ("a" * 40, "b" * 40), ("c" * 40, "d" * 40)
    assert repointed("dev_global/x/1.0", seen, seen) is None
    told = repointed("dev_global/x/1.0", seen, now)
    assert told is not None
    assert ("bbbbbbbbbbbb" in told, "dddddddddddd" in told) == (True, True)
