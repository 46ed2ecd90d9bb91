"""The YAML reader: never raises, and takes nothing that two readers take differently."""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import subprocess
import time
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.model.rules.yaml_source import DEEPEST, Problem, dotted, parse

# Words that one or the other reader takes for something else than text.
WORDS = (
    "y Y n N yes Yes no NO on Off true True TRUE tRUE false null NULL nULL ~ = << 012 0o17 0o1_7 0x1F 0X1F 0b11 0B11 "
    "1_000 1__0 _1 +5 -0 1e3 1.5e3 1.5e+3 .5 .5_0 5. 1.10 01.5 10:30 1:2:3.5 190:20:30 .inf +.Inf .nan Inf NaN nan "
    "infinity 2024-01-02 2024-1-2 2001-12-14t21:59:43.10-05:00 00 08 0.1 1.0 -1.5 123456789012345678901234567890 "
    "0. 1. 1_0e+5 0x 0o 0o9 +0x1F 1-2 10.0.0.0/16 us-east-1 a:b a_b"
).split()

numberish = st.text("0123456789+-._:eExXobBTtZ ", min_size=1, max_size=8)
scalars = st.sampled_from(WORDS) | numberish | st.text(string.ascii_letters + string.digits + "_.-", max_size=8)
anything = st.text(st.characters(), max_size=60)
yamlish = st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#\n \t~", "a", "b: ", "\n  ", "- ", "&x ", "*x", "!!str ", "---\n", "...\n", "<<"]
    )
).map("".join)


def core_schema(text: str) -> object:
    """A plain scalar by the tag resolution of the YAML 1.2 core schema (YAML 1.2.2, chapter 10.3.2)."""
    if re.fullmatch("null|Null|NULL|~|", text):
        return None
    if re.fullmatch("true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch("0o[0-7]+", text) or re.fullmatch("0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        return float(text.replace(".", ""))
    return text


def accepted(scalar: str) -> dict[str, object] | None:
    """What our reader makes of a plain scalar; None where it refuses."""
    source = parse("f", f"key: {scalar}\n")
    assert source.problems or isinstance(source.value, dict)
    return None if source.problems else dict(source.value)  # type: ignore[call-overload]


@given(anything | yamlish | scalars.map("key: {}".format))
@example("key: " + "9" * 5000)
@example("\ud800: \udfff")
@example("\0")
@example("\ufeffkey: 1")
@example("%YAML 1.9\n---\nkey: 1")
@example("key: !!int x")
@example("? [a, b]\n: {c: d}\ne: 1")
def test_no_text_makes_it_raise(text: str) -> None:
    source = parse("f", text)
    assert isinstance(source.value, dict) or source.problems
    for problem in source.problems:
        assert 1 <= problem.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 2
        assert str(problem).isprintable()
        assert str(problem).isascii()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "key: " + "[" * 100_000 + "]" * 100_000, "{a: " * 100_000, "- " * 100_000]
)
def test_depth_ends_in_an_error_and_not_the_process(text: str) -> None:
    assert parse("f", text).problems


def test_the_deepest_nesting_is_allowed() -> None:
    deep = "key: " + "[" * (DEEPEST - 1) + "1" + "]" * (DEEPEST - 1)
    assert parse("f", deep).problems == ()
    assert "nested deeper" in parse("f", deep.replace("1", "[]")).problems[0].message


@pytest.mark.slow
@given(scalars)
@settings(max_examples=500)
def test_an_accepted_scalar_is_the_same_by_yaml_1_1_and_1_2(scalar: str) -> None:
    ours = accepted(scalar)
    if ours is not None and not scalar.endswith(":") and ": " not in scalar:
        by_1_1 = yaml.safe_load(f"key: {scalar}\n")
        assert ours == by_1_1
        assert type(ours["key"]) is type(by_1_1["key"])
        assert ours["key"] == core_schema(scalar.strip())


def test_an_accepted_scalar_is_the_same_to_terraform(tmp_path: Path) -> None:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("there is no terraform")
    digits = [f"{sign}{text}" for sign in ("", "-", "+") for text in ("0", "7", "1.0", "1.25", "12.5e+3", "2.5E-2")]
    made = ["".join(parts) for parts in product("01_.x", "07eE_.:-", "1b_.")]
    texts = {word: value["key"] for word in [*WORDS, *digits, *made] if (value := accepted(word)) is not None}
    assert len(texts) > 100
    (tmp_path / "f.yaml").write_text("".join(f"k{index}: {word}\n" for index, word in enumerate(texts)))
    answer = subprocess.run(
        [terraform, "console"],
        cwd=tmp_path,
        input='jsonencode(yamldecode(file("f.yaml")))\n',
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    theirs = json.loads(json.loads(answer.stdout))
    assert [theirs[f"k{index}"] for index in range(len(texts))] == list(texts.values())


TAKEN_DIFFERENTLY = (
    "10:30 012 yes No on y N 0o17 0x1F 0b11 1_000 1e3 .5 5. 08 2024-01-02 2024-1-2 = << .inf .NaN 0.12345678 "
    "2001-12-14t21:59:43.10-05:00 1234567890123456"
).split()


@pytest.mark.parametrize("scalar", TAKEN_DIFFERENTLY)
def test_scalars_that_readers_take_differently_are_refused_unless_quoted(scalar: str) -> None:
    (problem,) = parse("envs/dev.yaml", f"# comment\nteams:\n  a: {scalar}\n").problems
    assert (problem.line, problem.key) == (3, "teams.a")
    assert "put it in quotes" in problem.message
    assert parse("f", f"a: '{scalar}'").value == {"a": scalar}
    assert parse("f", f'a: "{scalar}"').problems == ()


@pytest.mark.parametrize("key", ["yes", "n", "12", "1.5", "~", "true", "012", "10:30", "=", "<<", "2024-01-02"])
def test_keys_that_are_not_text_to_every_reader_are_refused_unless_quoted(key: str) -> None:
    (problem,) = parse("f", f"a: 1\n{key}: {{b: [1]}}\nc: 2\n").problems
    assert problem.line == 2
    assert "plain text" in problem.message
    assert parse("f", f'"{key}": 1').value == {key: 1}


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("a: 1\nb: {c: 1,\n  c: 2}\n", 3, "b.c", "this key stands twice, first in line 2"),
        ("a: &x 1\n", 1, "a", "anchors and aliases are not supported"),
        ("a: {b: 1, *x : 2}\n", 1, "a", "a key must be plain text, not a list, a mapping or an alias"),
        ("a:\n  &x b: 1\n", 2, "a", "anchors and explicit YAML tags are not supported"),
        ("a:\n- 1\n- !!str 2\n", 3, "a[1]", "explicit YAML tags (!...) are not supported"),
        ("a: !foo {b: 1}\n", 1, "a", "explicit YAML tags (!...) are not supported"),
        ("!foo\na: 1\n", 1, "", "explicit YAML tags (!...) are not supported"),
        ("a:\n  b: |\n    text\n", 2, "a.b", "it holds a line break or an invisible character"),
        ('a: "x\\u202ey"\n', 1, "a", "it holds a line break or an invisible character"),
        ('"a\\e": 1\n', 1, "", "the key 'a\\x1b' holds a line break or an invisible character"),
        ("? {a: [b]}\n: {c: d}\n", 1, "", "a key must be plain text, not a list, a mapping or an alias"),
        ("a: b: c\n", 1, "", "this is not YAML: mapping values are not allowed in this context"),
        ("a:\n\t- b\n", 2, "", "this is not YAML: found character that cannot start any token"),
        ("a: \x01\n", 1, "", "this is not YAML: a character that YAML does not allow"),
        ("a: 1\nb: \ud800\n", 2, "", "this is not UTF-8 text"),
        ("", 1, "", "it must hold one YAML document with keys and values"),
        ("- a\n", 1, "", "it must hold one YAML document with keys and values"),
        ("text\n", 1, "", "it must hold one YAML document with keys and values"),
        ("a: 1\n---\nb: 2\n", 1, "", "it must hold one YAML document with keys and values"),
    ],
)
def test_a_problem_names_line_key_and_reason(text: str, line: int, key: str, message: str) -> None:
    problem = parse("envs/dev.yaml", text).problems[0]
    assert (problem.file, problem.line, problem.key) == ("envs/dev.yaml", line, key)
    assert message in problem.message


def test_an_alias_is_reported_where_it_stands() -> None:
    problems = parse("f", "a: &x [1]\nb: *x\nc: 3\n").problems
    assert [(problem.line, problem.key) for problem in problems] == [(1, "a"), (2, "b")]


def test_what_stands_before_a_syntax_error_is_reported_too() -> None:
    problems = parse("f", "a: 012\nb: [\n").problems
    assert [problem.line for problem in problems] == [1, 3]


def test_values_and_lines() -> None:
    source = parse("f", "# head\na: 1\nb:\n  c: [x, 'y']\n  d: {e: true}\nf: null\ng: 1.5\n")
    assert source.value == {"a": 1, "b": {"c": ["x", "y"], "d": {"e": True}}, "f": None, "g": 1.5}
    assert source.problems == ()
    assert source.line(("b", "c", 1)) == 4
    assert source.line(("b", "d", "e")) == 5
    assert source.line(("b", "missing", "deeper")) == 3
    assert source.line(()) == 2
    assert source.problem(("b", "d", "e"), "no") == Problem("f", 5, "b.d.e", "no")


def test_a_key_path_is_written_as_people_write_it() -> None:
    assert dotted(("teams", "research", "regions", 0)) == "teams.research.regions[0]"
    assert dotted(("a\x1b[31m", "b.c")) == r"'a\x1b[31m'.'b.c'"
    assert str(Problem("f", 3, "a.b", "no")) == "f:3: a.b: no"
    assert str(Problem("f", 3, "", "no")) == "f:3: no"


def test_a_file_of_sixty_megabytes_is_refused_unread() -> None:
    begun = time.process_time()
    found = parse("envs/dev.yaml", "teams:\n" + "  a: [b, c]\n" * 5_000_000)
    assert [str(problem) for problem in found.problems] == ["envs/dev.yaml:1: it is longer than 1000000 characters"]
    assert time.process_time() - begun < 2


def test_a_file_that_is_all_wrong_is_not_told_whole() -> None:
    found = parse("envs/dev.yaml", "a:\n" + "- &x yes\n" * 20_000)
    assert len(found.problems) == 1000
