"""The types of the configuration and the schemas made from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from orchestrator.model.rules.config import Environment, Project, State, Team, Tooling
from orchestrator.model.rules.region import REGIONS
from orchestrator.model.text import decoding

KINDS = [Project, Environment]


def properties(schema: Any) -> Iterator[tuple[str, str, Any]]:
    for title, definition in schema["$defs"].items():
        for key, value in definition["properties"].items():
            yield title, key, value


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_schemas(kind: type[msgspec.Struct]) -> None:
    Draft202012Validator.check_schema(decoding.schema(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_mapping_refuses_unknown_keys_and_every_key_is_described(kind: type[msgspec.Struct]) -> None:
    schema: Any = decoding.schema(kind)
    for definition in schema["$defs"].values():
        assert definition["additionalProperties"] is False
        assert definition["description"]
    for title, key, value in properties(schema):
        ref = value.get("$ref", "").rpartition("/")[2]
        assert value.get("description") or ref in schema["$defs"], f"{title}.{key} has no description"


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_is_anchored_at_both_ends(kind: type[msgspec.Struct]) -> None:
    patterns = re.findall(r"'pattern': '(.*?)'[,}]", str(decoding.schema(kind)))
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)


@pytest.mark.parametrize(
    ("kind", "key", "accepted", "refused"),
    [
        (
            Tooling,
            "account",
            ["000000000000", "123456789012"],
            ["12345678901", "1234567890123", "12345678901a", "\uff11" * 12],
        ),
        (
            Team,
            "root",
            ["modules/workload", ".", "a/b.c/d-e_f", "./a"],
            ["/a", "..", "a/../b", "../a", "a/..", "", "a b", "a\\b"],
        ),
        (State, "prefix", ["a", "acme-tf", "0a", "a" * 40], ["", "-a", "A", "a.b", "a_b", "a" * 41]),
    ],
)
def test_texts_that_a_key_takes(kind: type[msgspec.Struct], key: str, accepted: list[str], refused: list[str]) -> None:
    rest = {Tooling: {}, Team: {"account": "1" * 12}, State: {"region": "us-east-1", "prefix": "a"}}[kind]
    for text in accepted:
        assert getattr(decoding.convert({**rest, key: text}, kind), key) == text
    for text in refused:
        with pytest.raises(msgspec.ValidationError):
            decoding.convert({**rest, key: text}, kind)


def test_editors_know_the_regions() -> None:
    schema: Any = decoding.schema(State)
    assert schema["$defs"]["State"]["properties"]["region"]["enum"] == list(REGIONS)


def test_the_defaults_are_the_safe_ones() -> None:
    environment = decoding.convert(
        {
            "regions": ["us-east-1"],
            "global_resource_deploy_from_region": "us-east-1",
            "teams": {"a": {"account": "1" * 12}},
        },
        Environment,
    )
    assert environment.checks.required == ["lint", "scan"]
    assert not environment.allow_lightweight_tags
    assert not environment.allow_unmerged_commits
    assert not environment.teams["a"].shared_account
    project = decoding.convert(
        {"state": {"prefix": "a", "region": "us-east-1"}, "tooling": {"account": "1" * 12}}, Project
    )
    assert (project.state.layout, project.state.locking, project.state.encryption) == ("central", "both", "kms")
    assert project.terraform.pass_env == []
