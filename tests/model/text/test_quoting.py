"""Text of outsiders, shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.text.quoting import did_you_mean, escaped, quoted

anything = st.text(st.characters())


@given(anything)
def test_quoted_text_is_one_short_line_of_printable_ascii(text: str) -> None:
    shown = quoted(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 163 * 10


@given(anything)
def test_escaped_text_can_be_read_back(text: str) -> None:
    assert escaped(text).encode("ascii").decode("unicode_escape") == text


def test_long_text_is_cut() -> None:
    assert quoted("a" * 1000, 10) == "'aaaaaaaaaa...'"


def test_escape_sequences_are_shown_not_sent() -> None:
    assert quoted("\x1b[31m\x9b\u202e\n") == r"'\x1b[31m\x9b\u202e\n'"


def test_hints() -> None:
    assert did_you_mean("us-east-11", ["us-east-1", "eu-west-1"]) == "Did you mean us-east-1?"
    assert did_you_mean("zzz", ["dev", "prod", "dev"]) == "Known: dev, prod."
    assert did_you_mean("zzz", [f"name{number}" for number in range(13)]) is None
    assert did_you_mean("zzz", []) is None
    assert did_you_mean("d" * 1_000_000, ["dev"]) == "Known: dev."
