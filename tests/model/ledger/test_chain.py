"""The chain of a target, as it was written and after somebody changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Refused
from orchestrator.model.ledger.anchor import Anchor
from orchestrator.model.ledger.chain import Anchored, Stored, check_chain, differing, doubtful
from orchestrator.model.ledger.integrity import MEANINGS, IntegrityFinding
from orchestrator.model.ledger.ledger import FIRST_HASH, LAST_NUMBER, Draft, Entry, Stamp, following
from orchestrator.model.text.canonical import canonical_json

TARGET = "research/dev-global"
drafts = st.builds(
    Draft,
    kind=st.sampled_from(["planned", "approved", "applying", "applied", "refused"]),
    tag=st.sampled_from(["dev_global/research/1.0", "dev_global/research/1.1"]),
    commit=st.sampled_from(["c1", "c2"]),
    by=st.sampled_from(["alice", "bob"]),
    digest=st.sampled_from([None, "d1", "d2"]),
    detail=st.sampled_from([{}, {"reason": "because"}, {"summary": {"add": 1}, "changes": True}]),
)
chains = st.lists(drafts, min_size=1, max_size=6)


def entries(given_drafts: Sequence[Draft], target: str = TARGET) -> list[Entry]:
    made: list[Entry] = []
    for number, draft in enumerate(given_drafts):
        made.append(following(made[-1] if made else None, target, Stamp(f"t{number}", str(number)), draft))
    return made


def stored(entry: Entry) -> Stored:
    return Stored(f"{entry.seq:012d}", entry.encode().decode(), entry.hash, entry.kind)


def anchored(entry: Entry, **changes: Any) -> Anchored:
    return replace(Anchored(Anchor(TARGET, entry.seq, entry.hash), content=entry.encode()), **changes)


def check(items: Sequence[Stored], anchors: Sequence[Anchored] = ()) -> tuple[IntegrityFinding, ...]:
    return check_chain(TARGET, items, anchors)


def three() -> list[Entry]:
    return entries([Draft("planned", "t", "c", "alice", "d", {"n": n}) for n in range(3)])


def codes(flaws: Sequence[IntegrityFinding]) -> list[tuple[str, int | None, str | None]]:
    return [(finding.code, finding.seq, finding.field) for finding in flaws]


def rechained(made: Sequence[Entry]) -> list[Entry]:
    """As a forger does it: every hash fits again."""
    found: list[Entry] = []
    for entry in made:
        previous = found[-1].hash if found else FIRST_HASH
        found.append(msgspec.structs.replace(entry, seq=len(found) + 1, previous=previous))
    return found


# Property: what was written has no flaw, and whatever is changed has one --------------------------------------------


@given(chains)
def test_what_was_written_has_no_flaw(given_drafts: list[Draft]) -> None:
    made = entries(given_drafts)
    anchors = [anchored(entry, content=None) for entry in made]
    assert check([stored(entry) for entry in made], anchors) == ()
    assert doubtful([stored(entry) for entry in made], [each.anchor for each in anchors]) == ()


@pytest.mark.slow
@given(chains, st.data())
def test_no_change_of_an_anchored_chain_goes_unseen(given_drafts: list[Draft], data: st.DataObject) -> None:
    made = entries(given_drafts)
    anchors = [anchored(entry) for entry in made]
    tampered = data.draw(_tamperings(made))
    flaws = check(tampered, anchors)
    if [item.body for item in tampered] == [entry.encode().decode() for entry in made]:
        assert flaws == ()
    else:
        assert flaws
        first = next(n for n in range(len(made)) if n >= len(tampered) or tampered[n] != stored(made[n]))
        assert min(finding.seq or 0 for finding in flaws) == first + 1
    assert {finding.code for finding in flaws} <= MEANINGS.keys()


def _tamperings(made: list[Entry]) -> st.SearchStrategy[list[Stored]]:
    """What a forger who knows how the hashes are made might leave."""
    positions = st.integers(0, len(made) - 1)
    altered = st.tuples(
        positions, st.sampled_from(["by", "tag", "commit", "at", "kind"]), st.sampled_from(["planned", "mallory"])
    ).map(
        lambda change: [
            msgspec.structs.replace(e, **{change[1]: change[2]}) if n == change[0] else e for n, e in enumerate(made)
        ]
    )
    without = positions.map(lambda gone: [entry for n, entry in enumerate(made) if n != gone])
    cut = positions.map(lambda length: made[:length])
    replayed = positions.map(lambda again: [*made[: again + 1], *made[:again]])
    forged = st.one_of(altered, without, cut, replayed).map(rechained)
    return forged.filter(lambda found: len(found) <= len(made)).map(lambda found: [stored(entry) for entry in found])


@given(chains, st.data())
def test_without_anchors_the_hashes_still_tell_of_what_is_not_the_end(
    given_drafts: list[Draft], data: st.DataObject
) -> None:
    made = entries([*given_drafts, given_drafts[0]])
    position = data.draw(st.integers(0, len(made) - 2))
    items = [stored(entry) for entry in made]
    forged = stored(msgspec.structs.replace(made[position], by="mallory"))
    changed = [*items[:position], *([forged] if data.draw(st.booleans()) else []), *items[position + 1 :]]
    found = [finding for finding in check(changed) if finding.code != "anchor-missing"]
    assert found
    assert {finding.seq for finding in found} & {position + 1, position + 2}


# One by one --------------------------------------------------------------------------------------------------------


def test_an_altered_field_is_named_with_what_was_written() -> None:
    made = three()
    forged = rechained([made[0], msgspec.structs.replace(made[1], by="mallory", detail={"n": 7}), made[2]])
    flaws = check([stored(entry) for entry in forged], [anchored(entry) for entry in made])
    assert codes(flaws) == [("altered", 2, "by"), ("altered", 2, "detail.n"), ("altered", 3, "previous")]
    assert flaws[0].message == "by of entry 2 was 'alice', it is 'mallory'"
    assert flaws[0].means == MEANINGS["altered"]


def test_an_anchor_whose_content_is_gone_still_tells_that_something_was_altered() -> None:
    made = three()
    forged = rechained([msgspec.structs.replace(made[0], by="mallory")])
    for content in (None, b"{"):
        flaws = check([stored(forged[0])], [anchored(made[0], content=content)])
        assert codes(flaws) == [("altered", 1, None)]


def test_an_entry_from_the_middle_and_the_end() -> None:
    made = three()
    anchors = [anchored(entry) for entry in made]
    (removed,) = check([stored(made[0]), stored(made[2])], anchors)
    assert codes([removed]) == [("removed", 2, None)]
    assert removed.message == "entry 2 is gone: planned of t at t1 by alice"
    (cut,) = check([stored(made[0]), stored(made[1])], anchors)
    assert codes([cut]) == [("cut-off", 3, None)]
    assert [finding.code for finding in check([], anchors)] == ["cut-off"] * 3
    assert codes(check([stored(made[0]), stored(made[2])], [anchors[0], anchors[2]])) == [("removed", 2, None)]


def test_an_item_that_is_no_entry() -> None:
    made = three()
    anchors = [anchored(made[0])]
    found = check([stored(made[0]), Stored("note", "x"), Stored("\u0661" * 12, "x")], anchors)
    assert codes(found) == [("foreign", None, None)] * 2
    unreadable = replace(stored(made[0]), body="{\udcff")
    assert codes(check([unreadable], anchors)) == [("altered", 1, "body")]


def test_the_attributes_beside_an_entry() -> None:
    made = three()
    anchors = [anchored(made[0])]
    assert codes(check([replace(stored(made[0]), hash="0")], anchors)) == [("altered", 1, "hash")]
    assert codes(check([replace(stored(made[0]), kind="applied")], anchors)) == [("altered", 1, "kind")]
    assert codes(check([replace(stored(made[0]), hash="0")])) == [("anchor-missing", 1, None), ("altered", 1, None)]


def test_an_entry_in_another_place() -> None:
    made = three()
    other = entries([Draft("planned", "t", "c", "alice")], "risk/dev-global")
    assert codes(check([stored(other[0])])) == [("anchor-missing", 1, None), ("moved", 1, "target")]
    copied = replace(stored(made[0]), sk="000000000002")
    assert ("moved", 2, "seq") in codes(check([stored(made[0]), copied]))


def test_a_link_that_does_not_fit_where_nothing_else_tells() -> None:
    made = three()
    forged = msgspec.structs.replace(made[1], by="mallory")
    found = check([stored(made[0]), stored(forged), stored(made[2])])
    assert ("broken-link", 3, "previous") in codes(found)
    first = msgspec.structs.replace(made[0], previous="1" * 64)
    assert ("broken-link", 1, "previous") in codes(check([stored(first)]))


def test_anchors_that_were_touched() -> None:
    (made,) = entries([Draft("planned", "t", "c", "alice")])
    item, other = stored(made), msgspec.structs.replace(made, by="mallory")
    assert codes(check([item])) == [("anchor-missing", 1, None)]
    assert codes(check([item], [anchored(made, deleted=True)])) == [("anchor-deleted", 1, None)]
    assert codes(check([item], [anchored(made, versions=2)])) == [("anchor-replaced", 1, None)]
    assert codes(check([item], [anchored(made), anchored(other)])) == [("two-anchors", 1, None)]
    assert doubtful([item], [anchored(made).anchor, anchored(other).anchor]) == (anchored(other).anchor,)


def test_differences_are_named_by_their_path_and_cut() -> None:
    one = Draft("planned", "t", "c", "me", None, {"a": {"b": 1, "c": [1]}, "x": "y" * 200})
    other = Draft("planned", "t", "c", "me", None, {"a": {"b": 2, "c": [1]}})
    found = list(differing(one, other))
    assert found[0] == ("detail.a.b", "1", "2")
    assert found[1][0] == "detail.x"
    assert len(found[1][1]) < 110
    assert canonical_json(one) != canonical_json(other)


@pytest.mark.parametrize("sk", ["1", "00000000000x", "0000000000011", ""])
def test_only_twelve_digits_number_an_entry(sk: str) -> None:
    assert Stored(sk, "").seq == 0


def test_numbers_are_walked_as_they_exist_and_gaps_are_told_as_ranges() -> None:
    """Whoever can write to the table, or to the bucket, can write any number."""
    made = three()
    forged = Stored("999999999999", "{}", "", "planned")
    anchor = Anchored(Anchor(TARGET, 999_999_999_000, "0" * 64))
    flaws = check([*map(stored, made), forged], [*map(anchored, made), anchor])
    assert [(f.code, f.seq) for f in flaws] == [
        ("removed", 4),
        ("removed", 999_999_999_000),
        ("removed", 999_999_999_001),
        ("altered", 999_999_999_999),
    ]
    assert flaws[0].message == "entries 4 to 999999998999 are gone: 999999998996 in all"


def test_a_gap_after_the_end_is_cut_off() -> None:
    made = three()
    flaws = check([*map(stored, made[:1])], [anchored(made[0]), anchored(made[2])])
    assert [(f.code, f.seq, f.message) for f in flaws[:1]] == [("cut-off", 2, "entry 2 is gone")]


@pytest.mark.parametrize("depth", [51, 900, 90_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_an_entry_that_is_nested_too_deep_cannot_be_read(depth: int, brackets: str | tuple[str, str]) -> None:
    deep = f"{brackets[0] * depth}1{brackets[1] * depth}"
    body = three()[0].encode().decode().replace('{"n":0}', f'{{"n":{deep}}}')
    flaws = check([Stored("000000000001", body, "", "planned")])
    assert ("altered", 1, "body") in codes(flaws)


def test_no_entry_follows_the_last_number() -> None:
    last = msgspec.structs.replace(three()[0], seq=LAST_NUMBER)
    with pytest.raises(Refused, match="has the number 999999999999"):
        following(last, TARGET, Stamp("t", "i"), Draft("planned", "t", "c", "alice"))
