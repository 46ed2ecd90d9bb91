"""The one place that hands a type to msgspec: `make lint` refuses every other (`banned-api` in pyproject.toml).

The first use of a type makes msgspec note what it looks like, and another thread can see the note before it is
complete; using it then crashes the process (msgspec 0.22, `StructInfo_Convert`). So one thread at a time notes a type,
and all that it is made of. What writes (`encode`, `to_builtins`, `replace`) needs no note.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Buffer

_T = TypeVar("_T")

_one_at_a_time = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(content: Buffer | str, kind: type[_T]) -> _T:
    """From JSON. Raises msgspec.DecodeError (a ValidationError is one) and UnicodeDecodeError."""
    return _decoder(kind).decode(content)


def convert(value: object, kind: type[_T]) -> _T:
    """From plain dictionaries and lists. Raises msgspec.ValidationError."""
    _decoder(kind)
    return msgspec.convert(value, kind)


def schema(kind: type) -> dict[str, Any]:
    """As JSON Schema."""
    _decoder(kind)
    return msgspec.json.schema(kind)


def type_info(kind: type) -> msgspec.inspect.Type:
    _decoder(kind)
    return msgspec.inspect.type_info(kind)


def _decoder(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    """From then on any thread may use the type."""
    with _one_at_a_time:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]
