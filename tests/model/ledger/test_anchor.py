"""Names of anchors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.ledger.anchor import Anchor, anchor_key, anchored
from orchestrator.model.ledger.ledger import Draft, Stamp, following
from orchestrator.model.text.canonical import sha256


@given(
    st.sampled_from(["research/dev-us-east-1", "_refused", "a/1-2/x"]),
    st.integers(min_value=1, max_value=10**12 - 1),
    st.binary().map(sha256),
)
def test_a_name_tells_target_number_and_hash(target: str, seq: int, hash_: str) -> None:
    anchor = Anchor(target, seq, hash_)
    assert Anchor.parse(anchor.key) == anchor


@pytest.mark.parametrize(
    "key", ["", "anchors/x", "anchors//000000000001-0.json", "receipts/x/000000000001-" + "0" * 64 + ".json"]
)
def test_other_names_are_none(key: str) -> None:
    assert Anchor.parse(key) is None


def test_an_anchor_is_named_by_the_hash_of_what_it_holds() -> None:
    entry = following(None, "team/dev-global", Stamp("t", "i"), Draft("planned", "t", "c", "me"))
    assert anchor_key(entry) == f"anchors/team/dev-global/000000000001-{sha256(entry.encode())}.json"


def test_only_an_entry_under_its_own_name_is_anchored() -> None:
    entry = following(None, "team/dev-global", Stamp("t", "i"), Draft("planned", "t", "c", "me"))
    key = anchor_key(entry)
    assert anchored(key, entry.encode()) == entry
    other = following(entry, "team/dev-global", Stamp("t", "i"), Draft("applied", "t", "c", "me"))
    for content in (None, b"no entry", other.encode(), entry.encode() + b" "):
        assert anchored(key, content) is None
