"""Terraform's state files, and which commits can work with them."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.terraform.state_file import BUILT_IN, StateFile, check_state, is_older, is_older_series, parse

AWS = "registry.terraform.io/hashicorp/aws"


def resource(provider: str, instances: int = 1, mode: str = "managed") -> dict[str, Any]:
    return {"mode": mode, "type": "t", "name": "n", "provider": provider, "instances": [{}] * instances}


def document(**fields: Any) -> bytes:
    whole = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "l", "outputs": {}, "resources": []}
    return json.dumps({**whole, **fields}).encode()


def test_what_is_read() -> None:
    resources = [
        resource(f'provider["{AWS}"]', 2),
        resource(f'module.a["x.y"].provider["{AWS}"].west'),
        resource(f'provider["{BUILT_IN}"]', 5, "data"),
    ]
    found = parse(document(resources=resources), "it")
    assert (found.lineage, found.serial, found.terraform_version) == ("l", 3, "1.11.4")
    assert (sorted(found.providers), found.resources) == ([AWS, BUILT_IN], 3)


@pytest.mark.parametrize("version", [3, 5, None, "4", [4]])
def test_another_format_is_refused(version: Any) -> None:
    with pytest.raises(InvalidInput, match="state of format version"):
        parse(document(version=version), "it")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        document(lineage=""),
        document(lineage=1),
        document(serial=-1),
        document(serial=True),
        document(terraform_version=None),
        document(resources=None),
        document(resources=[1]),
        document(resources=[resource("aws")]),
        document(resources=[{**resource(f'provider["{AWS}"]'), "instances": 1}]),
    ],
)
def test_what_is_no_state_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="it is not a Terraform state"):
        parse(content, "it")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    max_leaves=10,
)
_FIELDS = st.sampled_from(["version", "terraform_version", "serial", "lineage", "resources"])


@pytest.mark.slow
@given(st.dictionaries(_FIELDS, _json) | st.dictionaries(st.sampled_from(["mode", "provider", "instances"]), _json))
def test_anything_else_is_never_more_than_refused(fields: dict[str, Any]) -> None:
    for content in (document(**fields), document(resources=[{**resource(f'provider["{AWS}"]'), **fields}])):
        with contextlib.suppress(InvalidInput):
            assert parse(content, "it").lineage


# May a commit work with it? -----------------------------------------------------------------------------------------


def state(version: str = "1.11.4", *providers: str) -> StateFile:
    return StateFile("l", 1, version, frozenset(providers), 1, "")


def test_a_provider_that_the_lock_file_lacks() -> None:
    check_state(state("1.11.4", AWS, BUILT_IN), {AWS: "5.0.0", "other": "1.0.0"}, "1.11.4")
    with pytest.raises(Refused, match=r"the state holds resources of registry\.terraform\.io/hashicorp/aws, which"):
        check_state(state("1.11.4", AWS), {}, "1.11.4")


def test_a_terraform_that_is_too_old() -> None:
    for program in ("1.11.0", "1.11.4", "1.12.0", "2.0.0"):
        check_state(state("1.11.4"), {}, program)
    for program in ("1.10.9", "0.15.5"):
        with pytest.raises(Refused, match=f"the state was written by version 1.11.4, and {program} here is older"):
            check_state(state("1.11.4"), {}, program)


@given(st.lists(st.tuples(*[st.integers(0, 20)] * 3), min_size=2, max_size=2))
def test_versions_are_compared_by_number(pair: list[tuple[int, int, int]]) -> None:
    one, other = (".".join(map(str, numbers)) for numbers in pair)
    assert is_older(one, other) == (pair[0] < pair[1])
    assert is_older_series(one, other) == (pair[0][:2] < pair[1][:2])


def test_short_and_strange_versions() -> None:
    assert is_older("1.2", "1.2.1")
    assert is_older("nonsense", "0.0.1")
    assert not is_older("1.2.0-beta1", "1.2.0")
