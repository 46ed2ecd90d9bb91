"""Reads Terraform files, in both syntaxes, as plain values.

Parsing HCL takes the library over a second, so what it finds is kept by content in the cache.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from orchestrator.effects.cache import Cache
from orchestrator.errors import InvalidInput
from orchestrator.model.root import Json

_FORMAT = b"hcl-1\0"  # changes with what `_plain` makes of the library's output


def read_root(folder: Path, cache: Cache, *, suffixes: tuple[str, ...], skip: Collection[str]) -> dict[str, Json]:
    """The parsed configuration files directly in `folder`, by name; raises InvalidInput for one that does not parse."""
    paths = sorted(path for path in folder.iterdir() if path.name.endswith(suffixes) and path.name not in skip)
    return {path.name: read_file(path, cache) for path in paths}


def read_file(path: Path, cache: Cache) -> Json:
    """One configuration or variable file, in either syntax."""
    content = path.read_bytes()
    if path.suffix == ".json":
        return _parse_json(path, content)
    key = hashlib.sha256(_FORMAT + content).hexdigest()
    kept = cache.get("hcl", key)
    if kept is not None:
        return dict(json.loads(kept))
    parsed = _parse_hcl(path, content)
    cache.put("hcl", key, json.dumps(parsed).encode())
    return parsed


def _parse_json(path: Path, content: bytes) -> Json:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise InvalidInput(f"{path.name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{path.name} must hold one JSON object")
    return value


def _parse_hcl(path: Path, content: bytes) -> Json:
    import hcl2
    from lark.exceptions import LarkError

    try:
        parsed = hcl2.loads(content.decode())
    except (LarkError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput(
            f"{path.name} cannot be parsed: {reason}",
            hint="`terraform fmt` and `terraform validate` show syntax errors.",
        ) from None
    plain = _plain(parsed)
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    """Without the library's marks: quotes around strings and labels, `__is_block__`, comments."""
    if isinstance(value, dict):
        return {_unquoted(key): _plain(item) for key, item in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _unquoted(value) if isinstance(value, str) else value


def _unquoted(text: str) -> str:
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]
