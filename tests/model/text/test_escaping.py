"""Nothing that is shown steers a terminal or a pipeline."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.text.escaping import inert, inert_json, is_inert


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("safe\rnever", "safe\\rnever"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("::set-env name=PATH::/tmp", "\\::set-env name=PATH::/tmp"),
        ("a\n  ::add-mask::x\nb::c", "a\n  \\::add-mask::x\nb::c"),
        ("##[error]no", "#\\#[error]no"),
        ("it says ##vso[task.setvariable]x", "it says #\\#vso[task.setvariable]x"),
        ("## heading\n\ttab äß漢\u200d🙂", "## heading\n\ttab äß漢\u200d🙂"),
    ],
)
def test_what_steers_is_shown_instead(text: str, shown: str) -> None:
    assert inert(text) == shown


@given(st.text())
def test_what_is_inert_stays_as_it_is(text: str) -> None:
    once = inert(text)
    assert is_inert(once)
    assert inert(once) == once
    assert is_inert(text) == (once == text)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_keeps_its_meaning(value: object) -> None:
    told = json.dumps({"a": value, "b": "##[x] \u202e"}, ensure_ascii=False, indent=2)
    shown = inert_json(told)
    assert json.loads(shown) == json.loads(told)
    assert "##[" not in shown
    assert "\u202e" not in shown
