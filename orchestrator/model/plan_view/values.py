"""Values of a plan: what is known only after the apply, how a value is written, what a string holds."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import zip_longest
from typing import Any, Final

import msgspec

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NOT_PRINTABLE = re.compile(r"[^ -~]")
_LONGEST_YAML = 200_000  # characters; beyond that a difference of lines tells as much
_YAML_LINE = re.compile(r"^\s*(?:- )*[\w\"'./-]+:(?:\s|$)", re.MULTILINE)
_YAML_REFERENCE = re.compile(r"(?:^|[\s\[{,])[&*][^\s,\]}]|<<\s*:", re.MULTILINE)


class Sentinel:
    """A value that JSON does not have."""

    def __init__(self, text: str) -> None:
        self.text = text


UNKNOWN: Final = Sentinel("(known after apply)")
ABSENT: Final = Sentinel("(absent)")


class Literal(msgspec.Struct, frozen=True):
    """A scalar of YAML that is no string, as it stands there."""

    text: str


def with_unknown(after: Any, unknown: Any) -> Any:
    """`after`, with UNKNOWN wherever only the apply will tell."""
    if unknown is True:
        return UNKNOWN
    if not _holds(unknown):
        return after
    if isinstance(unknown, dict) and isinstance(after, dict | None):
        told = after or {}
        return {key: with_unknown(told.get(key), unknown.get(key)) for key in {**told, **unknown}}
    if isinstance(unknown, list) and isinstance(after, list | None):
        return [with_unknown(item, mark) for item, mark in zip_longest(after or (), unknown)]
    return after


def _holds(marks: Any) -> bool:
    """Whether anything is marked."""
    if isinstance(marks, dict | list):
        return any(_holds(mark) for mark in (marks.values() if isinstance(marks, dict) else marks))
    return marks is True


def known(value: Any) -> Any:
    """As JSON can have it: without what is unknown, null where a list's element is."""
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items() if item is not UNKNOWN}
    if isinstance(value, list):
        return [known(item) for item in value]
    return None if value is UNKNOWN else value


# Writing ------------------------------------------------------------------------------------------------------------


def shown(text: str) -> str:
    """Every printable character as it is; what steers a terminal or turns the writing round as an escape."""
    return text if text.isprintable() else _NOT_PRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


HIDDEN: Final = "(sensitive value)"
HIDDEN_AND_OTHER: Final = "(sensitive value, another than before)"


def written(value: Any) -> str:
    """A scalar or an empty collection, on one line."""
    if isinstance(value, str):
        if value in (HIDDEN, HIDDEN_AND_OTHER):
            return value
        return shown('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Sentinel):
        return value.text
    if isinstance(value, Literal):
        return shown(value.text)
    return json.dumps(value)


def shown_json(value: Any) -> str:
    """A whole value on one line."""
    return shown(json.dumps(value, ensure_ascii=False, default=str))


def inner(path: str, key: Any) -> str:
    """One step further; a key that is no name is quoted, as it may hold anything."""
    if isinstance(key, str) and _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{written(key)}]"


_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=lambda value: msgspec.Raw(b"?"))


def identity(value: Any) -> bytes:
    """Equal for equal values alone: to Python 0, 0.0 and false are the same."""
    return _encoder.encode(value)


def same(before: Any, after: Any) -> bool:
    if isinstance(before, str) or before is after:
        return bool(before == after)
    return before == after and identity(before) == identity(after)


# Reading strings ----------------------------------------------------------------------------------------------------


def parsed_json(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that a string holds as JSON; None where it holds none, or two values under one name."""
    if text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return None
    try:
        return json.loads(  # type: ignore[no-any-return]
            text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_without_twins
        )
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name that is there twice")
    return value


def parsed_yaml(text: str) -> dict[Any, Any] | list[Any] | None:
    """The mapping or list that a text of several lines holds as YAML.

    None where it is none, or one that could mean something else than it shows: names given twice, references, tags.
    """
    if "\n" not in text.strip() or len(text) > _LONGEST_YAML or _YAML_LINE.search(text) is None:
        return None
    if text.startswith("#!") or _YAML_REFERENCE.search(text):
        return None
    import yaml

    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        value = _of_node(node)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _of_node(node: Any) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return _without_twins([(_key(key), _of_node(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return [_of_node(item) for item in node.value]
    if node is None or not node.tag.startswith("tag:yaml.org,2002:"):
        raise ValueError("no plain YAML")
    return node.value if node.tag.endswith(":str") else Literal(node.value)


def _key(node: Any) -> str:
    value = _of_node(node)
    if not isinstance(value, str | Literal):
        raise ValueError("a name that is no scalar")
    return value if isinstance(value, str) else f"{value.text} "
