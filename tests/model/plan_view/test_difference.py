"""What differs between two values, and that no difference is ever invisible."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.plan_view.difference import ValueDifference
from orchestrator.model.plan_view.values import parsed_json, parsed_yaml, shown, shown_json

CLOUD = "#cloud-config\npackages:\n  - nginx\nport: 80\n"


def lines(before: Any, after: Any) -> list[str]:
    return list(ValueDifference.of({"v": before}, {"v": after}))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('{"a": [1, {"b": 2}]}', '{"a": [1, {"b": 3}]}', ["~ v.a[1].b: 2 -> 3"]),
        ('{"a": 1}', '{ "a":1}', ['~ v: the same JSON, written in another way: "{\\"a\\": 1}" -> "{ \\"a\\":1}"']),
        ('{"a": 1, "a": 2}', '{"a": 2}', ['~ v: "{\\"a\\": 1, \\"a\\": 2}" -> "{\\"a\\": 2}"']),
        ("{}", "[]", ["~ v: {} -> []"]),
        ("[NaN]", "[1]", ['~ v: "[NaN]" -> "[1]"']),
        ('{\n"a": 1}', '{\n "a": 1}', ["~ v: the same JSON, written in another way", "~ v:", "  @@ line 1", "    {",
                                        '  - "a": 1} (no newline at the end)', '  +  "a": 1} (no newline at the end)']),
        (CLOUD, CLOUD.replace("80", "81"), ["~ v.port: 80 -> 81"]),
        (CLOUD, CLOUD.replace("80", "'80'"), ['~ v.port: 80 -> "80"']),
        (CLOUD, "port: 80\npackages: [nginx]\n#cloud-config\n", ["~ v: the same YAML, written in another way"]),
        (CLOUD, CLOUD.replace("80", "81 # why"), ["~ v.port: 80 -> 81", "  + port: 81 # why"]),
        ("a: 1\nb: !Ref x\n", "a: 2\nb: !Ref x\n", ["- a: 1", "+ a: 2"]),
        ("a: &x 1\nb: *x\n", "a: &x 2\nb: *x\n", ["- a: &x 1"]),
        ("a: 1\na: 2\n", "a: 1\na: 3\n", ["- a: 2", "+ a: 3"]),
        ("1: a\nb: [x\n", "1: b\nb: [x\n", ["- 1: a"]),
        ("? [a]\n: 1\nb: 1\n", "? [a]\n: 1\nb: 2\n", ["- b: 1"]),
        ("1: a\nb: c\n", "'1': a\nb: c\n", ['v["1"]: "a"']),
        ("#!/bin/sh\na: 1\n", "#!/bin/sh\na: 2\n", ["- a: 1"]),
        ("one\ntwo\n", "one\ntwo", ["- two", "+ two (no newline at the end)"]),
        ("a\n\x1b[2J\n", "a\nb\n", ["- \\u001b[2J", "+ b"]),
        ([{"n": "a", "x": 1}, {"n": "b", "x": 1}], [{"n": "b", "x": 2}], ["~ v[1 -> 0].x: 1 -> 2", '- v[0].n: "a"']),
        ([{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}], ["moved"]),
        ([1, 2, 3], [0, 1, 2, 3], ["+ v[0]: 0"]),
        (list(range(3_000)), [-n for n in range(1, 3_001)], ["~ v[2999]: 2999 -> -3000"]),
        ({"a": 1}, [1], ["- v.a: 1", "+ v[0]: 1"]),
    ],
)  # fmt: skip
def test_what_differs_is_told(before: Any, after: Any, told: list[str]) -> None:
    found = lines(before, after)
    assert all(any(part in line for line in found) for part in told), found
    assert not any(line.isspace() for line in found)


def test_a_text_that_only_one_side_has_is_told_line_by_line() -> None:
    assert ValueDifference.of(None, {"v": "a\nb\n", "w": '{"x": [1]}'}) == ("+ v:", "  + a", "  + b", "+ w.x[0]: 1")
    assert ValueDifference.of(None, {}) == ("+ value: {}",)


def test_lines_far_from_each_other_are_told_apart() -> None:
    old = "".join(f"{n}\n" for n in range(50))
    found = lines(old, old.replace("\n5\n", "\nfive\n").replace("\n40\n", "\n"))
    assert [line for line in found if "@@" in line] == ["  @@ line 3", "  @@ line 38"]
    assert "    7" not in found


def test_a_string_of_five_megabytes_is_told_in_no_time() -> None:
    old = "x" * 5_000_000
    (line,) = lines(old, old + "y")
    assert len(line) > 10_000_000
    many = "".join(f"{n}\n" for n in range(200_000))
    assert len(lines(many, many[::-1])) > 400_000


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.text("a:#-{[\n \"'1", max_size=6)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1", max_size=1), inner, max_size=3)
)


@given(values, values, st.sampled_from([json.dumps, yaml.safe_dump, lambda value: json.dumps(value, indent=1)]))
def test_whatever_differs_is_visible_also_in_what_a_string_holds(before: Any, after: Any, written: Any) -> None:
    assert bool(lines(before, after)) == (json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True))
    assert bool(lines(written(before), written(after))) == (written(before) != written(after))


@given(st.text(max_size=30), st.text(max_size=30))
def test_texts_that_differ_are_shown_differently_and_never_steer_a_terminal(old: str, new: str) -> None:
    found = lines(old, new)
    assert bool(found) == (old != new)
    assert all(line.isprintable() for line in found)


@given(st.text(max_size=30))
def test_strings_are_read_as_they_are_or_not_at_all(text: str) -> None:
    assert parsed_json(text) is None or isinstance(parsed_json(text), dict | list)
    assert parsed_yaml(text) is None or isinstance(parsed_yaml(text), dict | list)
    assert shown(text).isprintable()


def test_what_is_printable_stays_and_what_is_not_is_escaped() -> None:
    assert shown("Zürich 東京 \u202e\u00a0\x1b") == "Zürich 東京 \\u202e\\u00a0\\u001b"
    assert shown_json({"a": ["é", 1.5]}) == '{"a": ["é", 1.5]}'
