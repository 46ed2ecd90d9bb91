"""Decoders of msgspec types, for threads.

The first use of a type makes msgspec note what it looks like. A thread that uses the type while another one is still
noting it crashes the process (msgspec 0.22); so each type is noted by one thread, and the others wait.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")

_one_at_a_time = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder(kind: type[_T]) -> msgspec.json.Decoder[_T]:
    """For JSON; from then on `msgspec.convert` may be used for that type as well, by any thread."""
    with _one_at_a_time:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]
