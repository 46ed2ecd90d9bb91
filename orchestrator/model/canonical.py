"""One byte sequence for one value: what digests are taken over."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only; `value` may be a Struct. Floats are not used anywhere."""
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
