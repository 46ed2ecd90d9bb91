"""What a rule's target gets of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrate_sandbox.pipeline.transform import payload

EVENT = {"time": "2026-01-01T00:00:00Z", "detail": {"tag": 'a "quoted" tag', "list": [{"n": 1}, 2], "none": None}}
RULE = {"Arn": "arn:rule", "Name": "rule"}


def transformed(template: str, **paths: str) -> str:
    return payload(EVENT, {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, RULE)


def test_without_a_wish_it_is_the_event() -> None:
    assert json.loads(payload(EVENT, {}, RULE)) == EVENT


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.list"}, [{"n": 1}, 2]),
        ({"InputPath": "$.detail.list[0].n"}, 1),
        ({"InputPath": "$.detail.missing"}, {}),
        ({"InputPath": "$.detail.list[7]"}, {}),
        ({"InputPath": "$.time.deeper"}, {}),
    ],
)
def test_a_part_of_it_or_something_else(target: dict[str, Any], expected: Any) -> None:
    assert json.loads(payload(EVENT, target, RULE)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"a": <tag>}', '{"a": "a \\"quoted\\" tag"}'),
        ('"Tag <tag>"', '"Tag a \\"quoted\\" tag"'),
        ('"<list>"', '"[{\\"n\\": 1}, 2]"'),
        ("<list>", '[{"n": 1}, 2]'),
        ("<none>", "null"),
        ('{"a": "<missing>"}', '{"a": ""}'),
        ("<unknown> < 1", "<unknown> < 1"),
        ('"\\"<tag>"', '"\\"a \\"quoted\\" tag"'),
        ("<aws.events.rule-arn>", '"arn:rule"'),
        ('"<aws.events.rule-name>"', '"rule"'),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    paths = {"tag": "$.detail.tag", "list": "$.detail.list", "none": "$.detail.none", "missing": "$.no"}
    assert transformed(template, **paths) == expected


def test_the_event_itself_may_be_put_in() -> None:
    assert json.loads(transformed("<aws.events.event.json>")) == EVENT
    assert json.loads(transformed("<aws.events.event>")) == {"time": EVENT["time"]}


@given(st.text())
def test_whatever_the_text_is_it_stays_one_json_string(text: str) -> None:
    event = {**EVENT, "detail": {"tag": text}}
    transformer = {"InputPathsMap": {"tag": "$.detail.tag"}, "InputTemplate": '{"in": "x<tag>y", "alone": <tag>}'}
    filled = json.loads(payload(event, {"InputTransformer": transformer}, RULE))
    assert filled == {"in": f"x{text}y", "alone": text}
