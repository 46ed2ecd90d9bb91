"""The exit: what is known to be secret leaves by no way, and structure survives."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Iterator

import pytest

from orchestrator.effects.system import outlet

SECRET = 'hunter2 "and" more'
ENV = {"GITHUB_TOKEN": SECRET}


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    outlet.begin(ENV)
    yield
    outlet.begin({})


def written(*parts: str) -> str:
    stream, before = io.StringIO(), sys.stdout
    sys.stdout = stream
    try:
        with outlet.guarded():
            for part in parts:
                sys.stdout.write(part)
    finally:
        sys.stdout = before
    return stream.getvalue()


def test_json_stays_json_whatever_is_masked() -> None:
    value = {"message": f"it is {SECRET}", "list": [SECRET, 1, None], "resources": 'x"', SECRET: "y"}
    told = json.loads(written(json.dumps(value, indent=2) + "\n"))
    assert told == {"message": "it is ***", "list": ["***", 1, None], "resources": 'x"', "***": "y"}


def test_a_secret_that_looks_like_structure_breaks_nothing() -> None:
    outlet.learn(['"name": "x",', '": {"a": '])
    value = {"name": "x", "other": {"a": 1}}
    assert json.loads(written(json.dumps(value, indent=2))) == value


def test_names_of_fields_are_no_secrets() -> None:
    outlet.learn(["resources"])
    assert json.loads(written(json.dumps({"resources": "resources"}))) == {"resources": "***"}


def test_an_aws_key_is_masked_by_the_name_it_stands_under() -> None:
    assert json.loads(written('{"SecretAccessKey": "abcdefgh/ijkl"}')) == {"SecretAccessKey": "***"}


def test_text_is_masked_and_escaped() -> None:
    shown = written(f"::warning::{SECRET}\n\x1b[2J{base64.b64encode(SECRET.encode()).decode()}\n")
    assert shown.startswith("\\::warning::***\n\\x1b[2J***")


def test_a_secret_divided_by_an_escape_sequence_is_still_one() -> None:
    assert outlet.shown(SECRET.replace("and", "a\x1b[0mnd")) == "***"


def test_what_is_not_json_though_it_begins_so_is_text() -> None:
    assert written("{not json \x1b") == "{not json \\x1b"
    assert written("[" * 100_000 + SECRET).endswith("[***")


def test_the_names_of_a_target_are_no_secrets() -> None:
    outlet.publish(["us-east-1"])
    outlet.learn(["us-east-1", "another-secret"])
    assert outlet.shown("us-east-1 another-secret") == "us-east-1 ***"


def test_short_values_are_no_secrets() -> None:
    outlet.learn(["true", "1", "abcdefg"])
    assert outlet.shown("true 1 abcdefg") == "true 1 abcdefg"


def test_what_is_kept_is_masked_before_it_is_encoded() -> None:
    assert outlet.kept({"reason": [f"a {SECRET}\x1b[0m b"], "seq": 1}) == {"reason": ["a *** b"], "seq": 1}


def test_another_command_knows_nothing_of_the_last() -> None:
    outlet.begin({})
    assert outlet.shown(SECRET) == SECRET
