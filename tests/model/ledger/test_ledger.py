"""The chain of a target's entries, and what is read from it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.ledger.ledger import FIRST_HASH, Draft, Entry, History, Kind, Stamp, following
from orchestrator.model.text import decoding

KINDS = get_args(Kind)
drafts = st.builds(
    Draft,
    kind=st.sampled_from(KINDS),
    tag=st.sampled_from(["t1", "t2"]),
    commit=st.sampled_from(["c1", "c2"]),
    by=st.just("me"),
    digest=st.sampled_from([None, "d1", "d2"]),
    detail=st.sampled_from([{}, {"check": "lint", "passed": True}, {"check": "lint"}, {"check": "scan", "passed": 1}]),
)


def chain(*drafts: Draft) -> list[Entry]:
    """Oldest first."""
    entries: list[Entry] = []
    for number, draft in enumerate(drafts):
        entries.append(following(entries[-1] if entries else None, "team/dev", Stamp(f"t{number}", str(number)), draft))
    return entries


def history(*drafts: Draft) -> History:
    return History(reversed(chain(*drafts)))


def draft(kind: Kind, tag: str = "t1", digest: str | None = "d1", **detail: Any) -> Draft:
    return Draft(kind, tag, "c1", "me", digest, detail)


@given(st.lists(drafts, max_size=6))
def test_entries_form_a_chain(given_drafts: list[Draft]) -> None:
    entries = chain(*given_drafts)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.previous for entry in entries[:1]] in ([], [FIRST_HASH])
    assert all(later.previous == earlier.hash for earlier, later in pairwise(entries))
    assert len({entry.hash for entry in entries}) == len(entries)


@given(drafts)
def test_an_entry_is_read_back_with_its_hash(given_draft: Draft) -> None:
    (entry,) = chain(given_draft)
    read = decoding.decode(entry.encode(), Entry)
    assert read == entry
    assert read.hash == entry.hash


@pytest.mark.parametrize("field", [name for name in Entry.__struct_fields__ if name not in ("seq", "detail", "kind")])
def test_every_field_counts_in_the_hash(field: str) -> None:
    (entry,) = chain(draft("planned"))
    assert msgspec.structs.replace(entry, **{field: "changed"}).hash != entry.hash


def test_an_entry_with_more_than_is_known_is_not_read() -> None:
    (entry,) = chain(draft("planned"))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        decoding.decode(entry.encode()[:-1] + b',"more":1}', Entry)


@given(st.lists(drafts, max_size=8), st.sampled_from([None, "t1"]), st.sampled_from([None, "d2"]))
def test_the_newest_entry_is_the_last_that_fits(given_drafts: list[Draft], tag: str | None, digest: str | None) -> None:
    fitting = [
        (number, d)
        for number, d in enumerate(given_drafts)
        if d.kind in ("planned", "applied") and tag in (None, d.tag) and digest in (None, d.digest)
    ]
    found = history(*given_drafts).newest("planned", "applied", tag=tag, digest=digest)
    assert (found.seq - 1 if found else None) == (fitting[-1][0] if fitting else None)


def test_the_last_entry() -> None:
    assert History([]).last is None
    last = history(draft("planned"), draft("approved")).last
    assert last is not None
    assert last.kind == "approved"


def test_a_check_counts_as_it_ended_last_for_that_commit() -> None:
    lint = {"check": "lint"}
    found = history(
        draft("checked", passed=True, **lint),
        Draft("checked", "t1", "c2", "me", None, {**lint, "passed": False}),
        draft("applied"),
    )
    assert found.check_passed("lint", "c1") is True
    assert found.check_passed("lint", "c2") is False
    assert found.check_passed("scan", "c1") is None
    again = history(draft("checked", passed=True, **lint), draft("checked", **lint))
    assert again.check_passed("lint", "c1") is False, "an entry that does not say that it passed has not"


@pytest.mark.parametrize(
    ("kinds", "unfinished"),
    [
        ([], False),
        (["planned"], False),
        (["applying"], True),
        (["applying", "planned", "checked"], True),
        (["applying", "applied"], False),
        (["applying", "failed"], False),
        (["applying", "applied", "applying"], True),
    ],
)
def test_an_apply_without_an_end_is_unfinished(kinds: list[Kind], unfinished: bool) -> None:
    assert (history(*(draft(kind) for kind in kinds)).unfinished is not None) == unfinished


@pytest.mark.parametrize("number", [0, -1, 10**12])
def test_an_entry_has_a_number_that_a_key_can_hold(number: int) -> None:
    (entry,) = chain(draft("planned"))
    with pytest.raises(ValueError, match="the number of an entry is from 1"):
        msgspec.structs.replace(entry, seq=number)
