"""One byte sequence for one value: what digests are taken over."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only; `value` may be a Struct. NaN and infinity are a ValueError.

    What is not text (half of a surrogate pair, as Python reads an argument that is not UTF-8) becomes U+FFFD: no
    reader of JSON would accept it.
    """
    plain = msgspec.to_builtins(value)
    text = _dumped(plain)
    return (_dumped(_sound(plain)) if "\\ud" in text else text).encode()


def _dumped(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _sound(plain: Any) -> Any:
    if isinstance(plain, str):
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(plain, dict):
        return {_sound(key): _sound(item) for key, item in plain.items()}
    return [_sound(item) for item in plain] if isinstance(plain, list | tuple) else plain


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
