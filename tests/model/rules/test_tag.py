"""The tag grammar."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.region import REGIONS
from orchestrator.model.rules.tag import ENV_PATTERN, MAX_LENGTH, TEAM_PATTERN, Tag, Version

# The grammar of DESIGN's "Tag grammar and resolution", written once more and otherwise.
GRAMMAR = re.compile(
    r"(?P<env>[a-z][a-z0-9-]{0,15}(?<!-))_(?P<scope>global|[a-z]{2,8}(?:-[a-z]{2,12}){1,3}-[1-9][0-9]?)"
    r"/(?P<team>[a-z][a-z0-9-]{0,31}(?<!-))"
    r"/(?P<version>(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:-rc\.(?:0|[1-9][0-9]*))?)"
)

numbers = (st.integers(0, 999) | st.integers(0, 10**27)).map(str)  # four of them fit into a tag
versions = st.builds(
    lambda parts, candidate: ".".join(parts) + ("" if candidate is None else f"-rc.{candidate}"),
    st.lists(numbers, min_size=2, max_size=3),
    st.none() | numbers,
).filter(lambda text: len(text) <= MAX_LENGTH)
names = {
    pattern: st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True) for pattern in (ENV_PATTERN, TEAM_PATTERN)
}
tags = st.builds(
    lambda env, scope, team, version: f"{env}_{scope}/{team}/{version}",
    names[ENV_PATTERN],
    st.sampled_from([*REGIONS, "global"]),
    names[TEAM_PATTERN],
    versions,
).filter(lambda text: len(text) <= MAX_LENGTH)


@given(tags)
def test_every_tag_of_the_grammar_is_read_and_written_back(text: str) -> None:
    tag = Tag.parse(text)
    expected = GRAMMAR.fullmatch(text)
    assert expected is not None
    assert str(tag) == text
    assert {"env": tag.env, "scope": tag.scope, "team": tag.team, "version": tag.version.text} == expected.groupdict()
    assert tag.is_global == (tag.scope == "global")
    assert Tag.parse(str(tag)) == tag


def mutations(text: str) -> st.SearchStrategy[str]:
    """Texts close to a tag: a character put in, taken out or replaced."""
    odd = st.sampled_from([*"_/-. \t\n\0A9z;$`'\"\\*~^:?[@{", "é", "\u202e", "\udcff", "..", "//", "-rc.", ""])
    return st.builds(
        lambda at, cut, new: text[:at] + new + text[at + cut :], st.integers(0, len(text)), st.integers(0, 2), odd
    )


@given(tags.flatmap(mutations) | st.text(max_size=200))
@example("")
@example("dev_us-east-1/research/1.0\n")
@example("dev_us-east-1/research/1.0 ; rm -rf /")
@example("--help")
@example("dev_us-east-1/research/" + "1" * 200)
@example("dev-_us-east-1/research/1.0")
@example("a" * 17 + "_global/t/1.0")
@example("dev_global/" + "t" * 33 + "/1.0")
def test_everything_outside_the_grammar_is_refused_and_nothing_else_raised(text: str) -> None:
    if GRAMMAR.fullmatch(text) is not None and len(text) <= MAX_LENGTH:
        assert str(Tag.parse(text)) == text
        return
    with pytest.raises(InvalidInput) as error:
        Tag.parse(text)
    assert str(error.value).isascii()
    assert all(line.isprintable() for line in str(error.value).splitlines())
    assert len(str(error.value)) < 2500
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("Dev", "'D' is not allowed in a tag (environment)", "A tag is"),
        ("dev", "it has no _ between environment and scope", "dev_us-east-1/research/1.0"),
        ("dev_global", "team and version are missing", "A tag is"),
        ("dev_global/research", "the version is missing", "A tag is"),
        ("_global/research/1.0", "the environment is empty", "A tag is"),
        ("dev_global//1.0", "the team is empty", "A tag is"),
        ("dev_globl/research/1.0", "neither an AWS Region nor `global`", "Did you mean global?"),
        ("prod2-_global/research/1.0", "'prod2-' is not a name for the environment", "A tag is"),
        ("dev_global/Research/1.0", "'R' is not allowed in a tag (team)", "Did you mean dev_global/research/1.0?"),
        (
            "Dev_global/research/1.0",
            "'D' is not allowed in a tag (environment)",
            "Did you mean dev_global/research/1.0?",
        ),
        (
            "dev_US-EAST-1/research/1.0",
            "'U' is not allowed in a tag (scope)",
            "Did you mean dev_us-east-1/research/1.0?",
        ),
        (" dev_global/research/1.0\n", "the character ' ' is not allowed", "Did you mean dev_global/research/1.0?"),
        ("refs/tags/dev_global/research/1.0", "it has no _", "Did you mean dev_global/research/1.0?"),
        ("dev_global/research/v1.0", "'v1.0' is not a version", "Did you mean 1.0?"),
        ("dev_global/research/1", "'1' is not a version", "Did you mean 1.0?"),
        ("dev_global/research/01.2", "'01.2' is not a version", "Did you mean 1.2?"),
        ("dev_global/research/1.0/x", "'1.0/x' is not a version", "MAJOR.MINOR"),
        ("dev_global/research/1.0-rc.01", "'1.0-rc.01' is not a version", "Did you mean 1.0-rc.1?"),
        ("dev_global/research/1.0-rc1", "'1.0-rc1' is not a version", "Did you mean 1.0-rc.1?"),
        ("dev_global/research/1-rc.2", "'1-rc.2' is not a version", "Did you mean 1.0-rc.2?"),
        (
            "dev_global/research/1.0-RC.1",
            "'R' is not allowed in a tag (version)",
            "Did you mean dev_global/research/1.0-rc.1?",
        ),
        ("dev_global/research/1.0-beta", "'1.0-beta' is not a version", "MAJOR.MINOR"),
        ("dev_us-east-1_x/research/1.0", "the scope 'us-east-1_x'", "Did you mean us-east-1?"),
        ("dev_global/research/1.0$(id)", "the character '$' is not allowed", "A tag is"),
        ("dev_global/rés/1.0", "characters outside ASCII", "A tag is"),
        ("dev_global/research/1." + "0" * 120, "it has 142 characters, 128 are allowed", "A tag is"),
    ],
)
def test_a_refusal_names_the_part_at_fault_and_the_likely_meaning(text: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Tag.parse(text)
    assert message in error.value.message
    assert hint in (error.value.hint or "")


def test_a_tag_has_at_most_128_characters_and_no_part_of_the_version_a_limit_of_its_own() -> None:
    start = "a" * 16 + "_ap-southeast-1/" + "b" * 32 + "/1."
    longest = start + "9" * (MAX_LENGTH - len(start))
    assert len(longest) == 128
    assert str(Tag.parse(longest)) == longest
    with pytest.raises(InvalidInput, match="it has 129 characters, 128 are allowed"):
        Tag.parse(longest + "9")


@given(st.text(max_size=40))
@example("9" * 5000 + ".0")
@example("٣.٤")
def test_a_version_is_read_or_refused_with_invalid_input(text: str) -> None:
    if len(text) <= MAX_LENGTH and re.fullmatch(GRAMMAR.pattern.rpartition("/")[2], text):
        assert str(Version.parse(text)) == text
        return
    with pytest.raises(InvalidInput) as error:
        Version.parse(text)
    assert error.value.hint


@given(st.lists(versions.map(Version.parse), min_size=2, max_size=6))
def test_versions_are_totally_ordered_and_the_order_agrees_with_equality_and_hash(found: list[Version]) -> None:
    for one in found:
        for other in found:
            assert (one < other) + (one == other) + (one > other) == 1
            assert (one <= other) == (one < other or one == other)
            if one == other:
                assert hash(one) == hash(other)
    ordered = sorted(found)
    assert all(not later < earlier for earlier, later in pairwise(ordered))


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_versions_order_by_number(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    first, second = (Version.parse(".".join(map(str, numbers))) for numbers in (one, other))
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


def test_versions_order_as_documented() -> None:
    ordered = ["0.1", "1.0-rc.1", "1.0-rc.2", "1.0-rc.10", "1.0", "1.0.1-rc.1", "1.0.1", "1.9", "1.10", "2.0"]
    assert sorted(map(Version.parse, reversed(ordered))) == [Version.parse(text) for text in ordered]


def test_two_parts_equal_three_with_a_zero() -> None:
    assert Version.parse("1.0") == Version.parse("1.0.0")
    assert len({Version.parse("1.0"), Version.parse("1.0.0")}) == 1
    assert Version.parse("1.0-rc.1") == Version.parse("1.0.0-rc.1")
    assert Version.parse("1.0") != Version.parse("1.0.1")


def test_a_version_compares_with_versions_only() -> None:
    assert Version.parse("1.0") != "1.0"
    with pytest.raises(TypeError):
        assert Version.parse("1.0") < "2.0"
