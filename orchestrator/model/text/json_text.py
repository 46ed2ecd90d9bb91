"""JSON for people and programs to read: indented, in ASCII, numbers with every digit they have."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_NOT_ASCII = re.compile(r"[^\x00-\x7f]|\x7f")
_encoder = msgspec.json.Encoder(decimal_format="number")


def readable_json(value: Any, *, indent: int = 2) -> str:
    """As `json.dumps(value, indent=2)` writes it (0: on one line); Decimals are numbers with all their digits."""
    try:
        text = msgspec.json.format(_encoder.encode(value), indent=indent).decode()
    except UnicodeEncodeError:  # half of a surrogate pair, as Python reads an argument that is not UTF-8
        return json.dumps(value, indent=indent or None, default=str)
    return text if text.isascii() and "\x7f" not in text else _NOT_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if match[0] != "\x7f" else "\\u007f"
