"""The one place that hands a type to msgspec: `make lint` refuses every other (`banned-api` in pyproject.toml).

The first use of a type makes msgspec note what it looks like, and another thread can see the note before it is
complete; using it then crashes the process (msgspec 0.22, `StructInfo_Convert`). So one thread at a time notes a type,
and all that it is made of. What writes (`encode`, `to_builtins`, `replace`) needs no note.
"""

from __future__ import annotations

import sys
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from typing_extensions import Buffer

_T = TypeVar("_T")

_one_at_a_time = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


# Levels that JSON may be nested (a plan's values are): Python's own limit is a quarter of that, and 8 MB of stack, as
# every thread has them on Linux, hold a good deal more.
_DEEPEST = 4_000


def allow_depth() -> None:
    """From then on this process reads and walks through JSON that is nested some 1,900 levels deep."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST))


def decode(content: Buffer | str, kind: type[_T]) -> _T:
    """From JSON. Raises msgspec.DecodeError (a ValidationError is one) and UnicodeDecodeError."""
    try:
        return _decoder(kind).decode(content)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deep") from None


def decode_exact(content: Buffer | str, kind: type[_T]) -> _T:
    """As `decode`; numbers of no type that are no integers become Decimals, which keep every digit."""
    return _decoder(kind, exact=True).decode(content)


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


def _decoder(kind: type[_T], *, exact: bool = False) -> msgspec.json.Decoder[_T]:
    """From then on any thread may use the type."""
    with _one_at_a_time:
        if (kind, exact) not in _decoders:
            _decoders[kind, exact] = msgspec.json.Decoder(kind, float_hook=Decimal if exact else None)
        return _decoders[kind, exact]
