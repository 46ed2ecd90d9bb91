"""Where a target goes back to, by its ledger alone."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import Draft, Entry, History, Kind, Stamp, following
from orchestrator.model.release.rollback import Rollback, downgrades, goal, newest_version, rollback_of, standing
from orchestrator.model.release.rollback import following as newer
from orchestrator.model.rules.tag import Version

PLACE = "dev_global/research"
Record = tuple[Kind, str, str] | tuple[Kind, str, str, dict[str, Any]]


def history(*records: Record) -> History:
    """Of (kind, version, commit, detail), oldest first; the digest is kind's own version."""
    entries: list[Entry] = []
    for number, (kind, version, commit, *detail) in enumerate(records):
        stamp = Stamp(f"2026-01-01T00:00:{number:02}+00:00", str(number))
        draft = Draft(kind, f"{PLACE}/{version}", commit, "me", version, *detail)
        entries.insert(0, following(entries[0] if entries else None, "research/dev-global", stamp, draft))
    return History(entries)


def tag(version: str) -> str:
    return f"{PLACE}/{version}"


def applied(version: str, commit: str, **detail: Any) -> Record:
    return "applied", version, commit, detail


A, B = applied("1.0", "a"), applied("1.1", "b")
BACK = applied("1.1.1", "a", rollback={"left": tag("1.1"), "to": tag("1.0")})


# What a release is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "version", "commit", "expected"),
    [
        ([], "1.0", "a", None),
        ([A], "1.1", "b", None),
        ([A], "1.1", "a", None),
        ([A, B], "1.2", "c", None),
        ([A, B], "1.2", "b", None),
        ([A, B], "1.2", "a", ("1.1", "1.0")),
        ([A, ("failed", "1.1", "b")], "1.2", "a", ("1.1", "1.0")),
        ([A, ("applying", "1.1", "b")], "1.2", "a", ("1.1", "1.0")),
        ([A, ("planned", "1.1", "b")], "1.2", "a", None),
        ([A, ("failed", "1.1", "b")], "1.1", "b", None),
        ([A, ("failed", "1.1", "b")], "1.2", "b", None),
        ([A, B, ("failed", "1.2", "a")], "1.2", "a", ("1.1", "1.0")),
        ([A, B, BACK], "1.1.1", "a", None),
        ([A, B, BACK], "1.2", "b", ("1.1.1", "1.1")),
    ],
)
def test_a_release_goes_back_where_its_commit_ran_before_another_one(
    records: list[Record], version: str, commit: str, expected: tuple[str, str] | None
) -> None:
    found = rollback_of(history(*records), tag(version), commit)
    assert found == (None if expected is None else Rollback(*map(tag, expected)))


def test_what_stands_is_what_was_begun_last() -> None:
    found = standing(history(A, ("failed", "1.1", "b"), ("planned", "1.2", "c")))
    assert found is not None
    assert found.tag == tag("1.1")
    assert standing(history(("planned", "1.0", "a"))) is None


# Where to go --------------------------------------------------------------------------------------------------------


def chosen(*records: Record, to: str | None = None) -> str:
    found = goal(history(*records), None if to is None else Version.parse(to))
    return found.tag.rpartition("/")[2]


def refusal(*records: Record, to: str | None = None) -> str:
    with pytest.raises(Refused) as error:
        chosen(*records, to=to)
    return str(error.value)


PAGE = {"outputs": {"verify_url": "http://x"}}


def test_the_newest_before_that_was_verified_or_had_nothing_to_verify() -> None:
    assert chosen(A, B) == "1.0"
    assert chosen(A, B, applied("1.2", "c")) == "1.1"
    assert chosen(A, ("failed", "1.1", "b")) == "1.0"
    assert chosen(A, applied("1.1", "b", **PAGE), applied("1.2", "c")) == "1.0", "1.1 was not verified"
    verified: Record = ("verified", "1.1", "b")
    assert chosen(A, applied("1.1", "b", **PAGE), verified, applied("1.2", "c")) == "1.1"


def test_what_was_rolled_back_from_is_not_gone_back_to_unless_it_was_released_again() -> None:
    assert "1.1 was not verified, or has been rolled back from" in refusal(A, B, BACK)
    assert chosen(applied("0.9", "z"), A, B, BACK) == "0.9"
    again = applied("1.2", "b")
    assert chosen(A, B, BACK, again, applied("1.3", "c")) == "1.2"
    lost = applied("1.1.1", "a", rollback={"left": tag("0.1"), "to": tag("1.0")})
    assert chosen(A, B, lost) == "1.1", "of a release that the ledger no longer tells of, no commit is known"


def test_a_version_that_somebody_names_must_have_run_and_be_another_commit() -> None:
    assert chosen(A, B, BACK, to="1.1") == "1.1"
    assert chosen(A, B, to="1.0.0") == "1.0"
    assert "version 2.0 has never been applied" in refusal(A, B, to="2.0")
    assert "These have: 1.1, 1.0." in refusal(A, B, to="2.0")
    assert "is the same commit as" in refusal(A, applied("1.1", "a"), to="1.0")


def test_where_there_is_nothing_to_go_back_to() -> None:
    assert "nothing has been applied" in refusal()
    assert "no other commit has been applied" in refusal(A)
    assert "These have: none." in refusal(("failed", "1.0", "a"), to="2.0")
    many = [applied(f"1.{number}", f"c{number}", **PAGE) for number in range(12)]
    assert "1.10, 1.9, 1.8, 1.7, 1.6, 1.5, 1.4, 1.3, ..." in refusal(*many)


# Under which version ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2", ["1.2.1", "1.2.2"]),
        ("1.2.3", ["1.2.4", "1.2.5"]),
        ("1.3-rc.1", ["1.3-rc.2", "1.3-rc.3"]),
        ("1.3.1-rc.9", ["1.3.1-rc.10", "1.3.1-rc.11"]),
    ],
)
def test_the_next_versions(version: str, expected: list[str]) -> None:
    assert [str(found) for found in islice(newer(Version.parse(version)), 2)] == expected


@given(st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), st.none() | st.integers(0, 99))
def test_the_next_versions_are_newer_and_below_the_next_minor_one(
    numbers: tuple[int, int, int], candidate: int | None
) -> None:
    version = Version.parse(".".join(map(str, numbers)) + ("" if candidate is None else f"-rc.{candidate}"))
    found = list(islice(newer(version), 3))
    assert [version, *found] == sorted({version, *found})
    assert found[-1] < Version.parse(f"{numbers[0]}.{numbers[1] + 1}-rc.0")


def test_a_version_that_was_only_begun_counts() -> None:
    assert str(newest_version(history(A, ("failed", "1.3", "b"), ("planned", "1.4", "c")))) == "1.3"


def test_providers_that_go_back() -> None:
    locked, used = {"aws": "5.9.0", "random": "3.6.0", "new": "1.0.0"}, {"aws": "5.100.0", "random": "3.5.9"}
    assert downgrades(locked, used) == ["aws goes back from 5.100.0 to 5.9.0"]
