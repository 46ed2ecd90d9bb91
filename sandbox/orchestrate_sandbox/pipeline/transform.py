"""What a target of a rule gets of an event. Pure.

Source: "Amazon EventBridge input transformation" (EventBridge user guide). A variable in a template stands for a JSON
value, and within quotes for the text in it; one whose path the event does not have stands for nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Event = Mapping[str, Any]

_PIECE = re.compile(r'<(?P<name>[A-Za-z0-9_.-]+)>|(?P<escaped>\\.)|(?P<quote>")|[^<\\"]+|<', re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_MISSING = object()


def payload(event: Event, target: Mapping[str, Any], rule: Mapping[str, str]) -> str:
    """`target` as PutTargets has it; `rule` has `Arn` and `Name`. JSON, unless the target's template is none."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"], default={}))
    transformer = target.get("InputTransformer")
    if transformer is None:
        return json.dumps(event)
    paths = transformer.get("InputPathsMap") or {}
    values = {name: _at(event, path) for name, path in paths.items()}
    return "".join(_filled(transformer["InputTemplate"], {**values, **_predefined(event, rule)}))


def _predefined(event: Event, rule: Mapping[str, str]) -> dict[str, Any]:
    return {
        "aws.events.rule-arn": rule["Arn"],
        "aws.events.rule-name": rule["Name"],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }


def _filled(template: str, values: Mapping[str, Any]) -> Iterator[str]:
    within_quotes = False
    for piece in _PIECE.finditer(template):
        if piece["quote"]:
            within_quotes = not within_quotes
        if piece["name"] is None or piece["name"] not in values:
            yield piece[0]
        else:
            yield _written(values[piece["name"]], within_quotes=within_quotes)


def _written(value: Any, *, within_quotes: bool) -> str:
    if value is _MISSING:
        return ""
    if not within_quotes:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _at(event: Event, path: str, default: Any = _MISSING) -> Any:
    """Dots and indices, the part of JSONPath that EventBridge knows (without its wildcard)."""
    value: Any = event
    for step in _STEP.finditer(path.removeprefix("$")):
        try:
            value = value[step["key"]] if step["key"] else value[int(step["index"])]
        except (KeyError, IndexError, TypeError):
            return default
    return value
