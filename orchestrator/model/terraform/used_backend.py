"""The backend that Terraform uses, as it tells itself, compared with the one that the rules derive.

`init` writes it into its data folder, and `plan` into the plan file, from which `apply` takes it. What the files of the
configuration seem to say does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.terraform.root import Json

DEFAULT_WORKSPACE = "default"

# Field numbers of `Plan`, its `Backend` and that one's `DynamicValue` (planfile.proto of Terraform and OpenTofu).
_BACKEND = 13
_TYPE, _CONFIG, _WORKSPACE = 1, 2, 3
_MSGPACK = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class UsedBackend:
    """Settings that are not set are null, or left out."""

    type: str
    settings: Mapping[str, Any]
    workspace: str


def check_backend(used: UsedBackend | None, expected: Json, what: str) -> None:
    """Raises Refused where it is another one than `expected` (`{type: settings}`), None being no backend at all."""
    ((type_, settings),) = expected.items()
    problem = "it has none" if used is None else next(_differences(used, type_, settings), None)
    if problem is not None:
        raise Refused(
            f"{what} would keep the state elsewhere than the rules say: {problem}",
            hint="orchestrate sets the backend; look in the root configuration for what changes it again.",
        )


def _differences(used: UsedBackend, type_: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    if used.type != type_:
        yield f"the backend is {used.type}, not {type_}"
    for name in sorted({*used.settings, *wanted}):
        if used.settings.get(name) != wanted.get(name):
            yield f"the backend's {name} is {used.settings.get(name)!r}, not {wanted.get(name)!r}"
    if used.workspace != DEFAULT_WORKSPACE:
        yield f"the workspace is {used.workspace}"


def of_plan(content: bytes) -> UsedBackend | None:
    """From the part `tfplan` of a plan file; None where it names no backend. Raises ValueError where it is no plan."""
    parts = [value for number, value in _fields(content) if number == _BACKEND]
    if not parts:
        return None
    if len(parts) > 1:
        raise ValueError("it names several backends")
    found = dict(_fields(parts[0]))
    try:
        content = dict(_fields(found[_CONFIG]))[_MSGPACK]
        settings = msgspec.msgpack.decode(content, type=dict[str, Any])  # noqa: TID251 - as Terraform writes it
        return UsedBackend(found[_TYPE].decode(), settings, found[_WORKSPACE].decode())
    except (KeyError, msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"its backend cannot be read: {error}") from None


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that hold bytes, by number ("Encoding", Protocol Buffers documentation)."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, position = _varint(message, position)
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            length, position = _varint(message, position)
        if length is None or position + length > len(message):
            raise ValueError(f"it cannot be read at byte {position}")
        if kind == _BYTES:
            yield number, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError(f"it cannot be read at byte {position}")
