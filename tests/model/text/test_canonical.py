"""One byte sequence for one value."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import canonical_json, sha256

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(values)
def test_what_is_written_is_read_back_and_written_the_same(value: Any) -> None:
    content = canonical_json([value])
    assert content.isascii()
    assert json.loads(content) == [value]
    assert canonical_json(decoding.decode(content, list[Any])) == content


@given(st.dictionaries(st.text(max_size=4), st.integers(), max_size=5), st.randoms())
def test_the_order_of_keys_makes_no_difference(value: dict[str, int], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert canonical_json(dict(shuffled)) == canonical_json(value)


surrogates = st.text(st.characters(categories=["Cs", "Lu"]), max_size=6)


@given(st.recursive(surrogates, lambda inner: st.lists(inner) | st.dictionaries(surrogates, inner), max_leaves=5))
def test_what_is_no_text_is_still_read_back(value: Any) -> None:
    """Such a text in one entry of the ledger would make the whole ledger unreadable."""
    content = canonical_json([value])
    assert canonical_json(decoding.decode(content, list[Any])) == content


def test_a_struct_is_its_fields() -> None:
    class KeyPair(msgspec.Struct):
        b: int
        a: tuple[str, ...]

    assert (
        canonical_json(KeyPair(1, ("ü", "\udcff", "\U0001f642")))
        == b'{"a":["\\u00fc","\\ufffd","\\ud83d\\ude42"],"b":1}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json([value])


def test_digests_are_those_of_sha256sum() -> None:
    assert sha256(b"") == hashlib.sha256(b"").hexdigest()
