"""Checks requests as AWS does, against botocore's service model: moto takes whatever comes.

The SDKs check types and required members themselves; lengths, patterns and closed lists of values only the service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import get_service_model

_TYPES = {"string": str, "integer": int, "long": int, "boolean": bool, "list": list, "map": dict, "structure": dict}


class Invalid(JsonRESTError):  # type: ignore[misc]
    """An error of a service with a JSON protocol; status 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def checked(response: Any, *, code: str = "ValidationException") -> dict[str, Any]:
    """The body of a request of a service with a JSON protocol; raises Invalid with that code."""
    body: dict[str, Any] = json.loads(response.body or "{}")
    operation = get_service_model(response.boto3_service_name).operation_model(response._get_action())
    if operation.input_shape is not None:
        faults = list(_faults(operation.input_shape, body, ""))
        if faults:
            plural = "s" if len(faults) > 1 else ""
            raise Invalid(code, f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}")
    return body


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    expected = _TYPES.get(shape.type_name)
    if expected is not None and (not isinstance(value, expected) or (expected is int and isinstance(value, bool))):
        yield _fault(value, path, f"Member must be of type {shape.type_name}")
        return
    yield from _broken_constraints(shape, value, path)
    for inner, item, inner_path in _parts(shape, value, path):
        yield from _faults(inner, item, inner_path)


def _parts(shape: Any, value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield member, value[name], f"{path}.{name}" if path else name
    elif shape.type_name == "list":
        for number, item in enumerate(value, start=1):
            yield shape.member, item, f"{path}.{number}.member"
    elif shape.type_name == "map":
        for key, item in value.items():
            yield shape.key, key, path
            yield shape.value, item, f"{path}.{key}"


def _broken_constraints(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield _fault(None, f"{path}.{name}" if path else name, "Member must not be null")
        return
    if shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield _fault(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if shape.type_name == "string" and pattern and not _satisfies(value, pattern):
        yield _fault(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    yield from _outside(shape.metadata, value, path)


def _satisfies(value: str, pattern: str) -> bool:
    """Patterns are Java's; one with a part that Python does not know (`\\p{L}`) counts as satisfied."""
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:
        return True


def _outside(limits: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    is_number = isinstance(value, int | float)
    size, what = (value, "value") if is_number else (len(value) if hasattr(value, "__len__") else 0, "length")
    if "min" in limits and size < limits["min"]:
        yield _fault(value, path, f"Member must have {what} greater than or equal to {limits['min']}")
    if "max" in limits and size > limits["max"]:
        yield _fault(value, path, f"Member must have {what} less than or equal to {limits['max']}")


def _fault(value: Any, path: str, rule: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"
