"""From a parsed file to its type, explaining everything that is wrong with it in terms of its schema."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from orchestrator.model.rules.config import KNOWN_REGION, Environment, Project
from orchestrator.model.rules.yaml_source import Path, Problem, YamlSource
from orchestrator.model.text import decoding
from orchestrator.model.text.quoting import did_you_mean, quoted

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Config = TypeVar("Config", Project, Environment)

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "empty",
    "object": "a mapping (keys and values)",
    "string": "text",
}


def convert(source: YamlSource, kind: type[Config]) -> tuple[Config | None, list[Problem]]:
    """The file as its type, and what is wrong with it.

    Where something is wrong, the first value is what the rest of the file says (None where too little is left): good
    for finding more errors in the same run, never for use.
    """
    problems: list[Problem] = []
    value = source.value
    while value is not None:
        try:
            return decoding.convert(value, kind), problems
        except msgspec.ValidationError as error:
            found = list(_errors(value, kind))
            if not problems:
                problems = [problem for each in found for problem in _problems(source, each)]
                problems = problems or [_as_msgspec_says(source, error)]
            value = _without(value, [path for each in found for path in _faulty(each)])
    return None, problems


def _as_msgspec_says(source: YamlSource, error: msgspec.ValidationError) -> Problem:
    """For what the schema does not say: "Expected `int` - at `$.plans.expire_after_hours`"."""
    message, _, where = str(error).partition(" - at ")
    return source.problem(tuple(re.findall(r"(?<=\.)[^.\[`]+", where.partition("[")[0])), message)


def _errors(value: object, kind: type[Config]) -> Iterator[ValidationError]:
    from jsonschema import Draft202012Validator, validators

    plain_integers = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, instance: isinstance(instance, int) and not isinstance(instance, bool)
    )
    extend: Any = validators.extend
    validator = extend(Draft202012Validator, type_checker=plain_integers)
    for error in validator(decoding.schema(kind)).iter_errors(value):
        inner = _innermost(error)
        if inner.validator_value != KNOWN_REGION["enum"]:
            yield inner


def _innermost(error: ValidationError) -> ValidationError:
    """Of a value that may be null, the error about what it may be otherwise."""
    while error.validator == "anyOf" and error.context:
        error = max(error.context, key=_tells)
    return error


def _tells(error: ValidationError) -> tuple[int, bool, bool]:
    """The deeper an error the more it tells; which type is expected tells more than which values."""
    return len(error.absolute_path), error.validator_value != "null", error.validator == "type"


def _faulty(error: ValidationError) -> Iterator[Path]:
    """What to leave out so that this error is gone.

    An item of a list takes the list with it, else the lines of those after it would be wrong.
    """
    for path in _faulty_values(error):
        yield path[: next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))]


def _faulty_values(error: ValidationError) -> Iterator[Path]:
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        yield from ((*path, key) for key in _unknown_keys(error))
    elif "propertyNames" in error.absolute_schema_path:
        yield (*path, str(error.instance))
    else:
        yield path


def _without(value: object, paths: Iterable[Path]) -> object:
    """A copy without what stands at these paths; None where that is all, or nothing."""
    left = copy.deepcopy(value)
    unique = set(paths)
    for path in unique:
        inner: Any = left
        for part in path[:-1]:
            inner = inner.get(part, {})
        if not path:
            return None
        inner.pop(path[-1], None)
    return left if unique else None


def _unknown_keys(error: ValidationError) -> list[str]:
    schema: Any = error.schema
    instance: Any = error.instance
    return sorted(set(instance) - set(schema["properties"]))


def _problems(source: YamlSource, error: ValidationError) -> Iterator[Problem]:
    path: Path = tuple(error.absolute_path)
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        for key in _unknown_keys(error):
            hint = did_you_mean(key, schema["properties"]) or ""
            yield source.problem((*path, key), f"unknown key. {hint}".strip())
    elif error.validator == "required":
        expected: Any = error.validator_value
        for key in sorted(set(expected) - set(_mapping(error.instance))):
            yield source.problem((*path, key), "this key is missing")
    elif "propertyNames" in error.absolute_schema_path:
        yield source.problem((*path, str(error.instance)), f"this name is not valid here. {_rule(error)}".strip())
    else:
        yield source.problem(path, f"{_fault(error)}. {_rule(error)}".removesuffix(" "))


def _mapping(instance: object) -> dict[str, object]:
    assert isinstance(instance, dict)
    return instance


def _fault(error: ValidationError) -> str:
    limit = error.validator_value
    if error.validator == "type":
        return f"it must be {_TYPES.get(str(limit), limit)}"
    if error.validator in ("minItems", "minProperties"):
        return "it is empty"
    if error.validator == "minimum":
        return f"{error.instance} is too small, the least is {limit}"
    if error.validator == "maximum":
        return f"{error.instance} is too large, the most is {limit}"
    return f"{quoted(str(error.instance))} is not valid"


def _rule(error: ValidationError) -> str:
    """What the schema says that the value must be."""
    if error.validator == "enum":
        known: Any = error.validator_value
        return did_you_mean(str(error.instance), known) or ""
    described = _description(error) or _description(error.parent)
    if error.validator == "pattern" and not described:
        return f"It must match {error.validator_value}"
    return described


def _description(error: Any) -> str:
    return "" if error is None else str(error.schema.get("description", ""))
