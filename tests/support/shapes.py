"""Compares an answer with botocore's service model: unknown members, wrong types, values that a list does not have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


def watch(client: Any) -> None:
    """From now on every answer with status 200 that does not fit fails its call."""
    client.meta.events.register("after-call", _check)


def _check(http_response: Any, model: Any, **_: object) -> None:
    if http_response.status_code == 200 and model.output_shape is not None:
        found = list(faults(model.output_shape, json.loads(http_response.content or b"{}"), model.name))
        assert not found, found


def faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not _is_a(shape.type_name, value):
        yield f"{path} is {value!r}, no {shape.type_name}"
    elif shape.type_name == "structure":
        yield from _of_structure(shape, value, path)
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from faults(shape.member, item, f"{path}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from faults(shape.value, item, f"{path}[{key}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {shape.enum}"


def _is_a(type_name: str, value: Any) -> bool:
    """In Python a boolean is an integer; here it is none."""
    return isinstance(value, _TYPES[type_name]) and (type_name == "boolean" or not isinstance(value, bool))


def _of_structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path} has no {name}"
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    for name, item in value.items():
        if name not in names:
            yield f"{path} has {name}, which the service model has not"
        else:
            yield from faults(shape.members[names[name]], item, f"{path}.{name}")
