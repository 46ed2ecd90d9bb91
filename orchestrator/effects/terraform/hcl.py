"""Reads Terraform files, in both syntaxes, as plain values: only the blocks and values that matter here.

Parsing HCL takes the library over a second, so what it finds is kept by content in the cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from orchestrator.effects.system.cache import Cache
from orchestrator.errors import InvalidInput
from orchestrator.model.terraform import hcl_text
from orchestrator.model.terraform.root import Json
from orchestrator.model.tools.dialect import Dialect

_FORMAT = "hcl-3"  # changes with what `_plain` makes of the library's output
# Control characters that end a line or are white space for some readers only: two could see different blocks.
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufeff]|\r(?!\n)")
_BLOCKS = ("terraform", "provider", "variable")


def read_root(
    folder: Path,
    cache: Cache,
    *,
    dialect: Dialect,
    skip: Collection[str] = (),
    names: Collection[str] = _BLOCKS,
    told: str = "",
) -> dict[str, Json]:
    """The configuration files directly in `folder` that a program of that dialect reads, parsed, by name.

    `told` stands before each name in an error. Raises InvalidInput for a file that does not parse.
    """
    read = dialect.read({path.name for path in folder.iterdir() if not path.is_dir()})
    chosen = sorted(name for name in read - {*skip} if name.endswith(dialect.configuration))
    return {name: read_file(folder / name, cache, names, told=f"{told}{name}") for name in chosen}


def read_file(path: Path, cache: Cache, names: Collection[str] = _BLOCKS, *, told: str | None = None) -> Json:
    """The top-level blocks and values of these names in a configuration or variable file, in either syntax.

    `told` is how errors name the file.
    """
    told = told or path.name
    if not path.is_file():
        raise InvalidInput(
            f"{told} is not a file, or a link that leads nowhere",
            hint="A link must lead to a file of the same commit.",
        )
    content = path.read_bytes()
    if path.suffix == ".json":
        return _parse_json(told, content)
    key = hashlib.sha256(json.dumps([_FORMAT, sorted(names)]).encode() + content).hexdigest()
    kept = cache.get("hcl", key)
    if kept is not None:
        return dict(json.loads(kept))
    parsed = _parse_hcl(told, content, names)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, never a release
        cache.put("hcl", key, json.dumps(parsed).encode())
    return parsed


def parse(content: bytes, names: Collection[str], *, told: str) -> Json:
    """The top-level blocks and values of these names; JSON where `told`, the file's name in errors, ends in .json."""
    return _parse_json(told, content) if told.endswith(".json") else _parse_hcl(told, content, names)


def _parse_json(told: str, content: bytes) -> Json:
    try:
        value = json.loads(content.decode(), object_pairs_hook=_merged)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{told} is not JSON: {_json_place(error)}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{told} must hold one JSON object")
    return value


def _json_place(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.partition(':')[0]}, line {error.lineno} column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return "it is nested too deep" if isinstance(error, RecursionError) else "a number has too many digits"


def _merged(pairs: list[tuple[str, Any]]) -> Json:
    """A name that is given twice has both values, as in Terraform, where it is two blocks."""
    merged: Json = {}
    for name, value in pairs:
        merged[name] = [*_list(merged[name]), *_list(value)] if name in merged else value
    return merged


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parse_hcl(told: str, content: bytes, names: Collection[str]) -> Json:
    try:
        text = hcl_text.items(_text(content), names)
        plain = _plain(_parsed(text)) if text else {}
    except ValueError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInput(
            f"{told} cannot be parsed: {reason}",
            hint="`terraform validate`, or `tofu validate`, shows syntax errors.",
        ) from None
    assert isinstance(plain, dict)
    return plain


def _text(content: bytes) -> str:
    """Terraform takes a byte order mark at the beginning for nothing."""
    text = content.decode("utf-8-sig")
    if odd := _ODD.search(text):
        raise ValueError(f"line {text.count(chr(10), 0, odd.start()) + 1} holds the character U+{ord(odd[0]):04X}")
    return text


def _parsed(text: str) -> Any:
    import hcl2
    from lark.exceptions import LarkError

    try:
        return hcl2.loads(text)
    except (LarkError, RecursionError) as error:
        raise ValueError(_place(error)) from None


def _place(error: Exception) -> str:
    """Where the parser stopped, never what it read there: the line may hold a secret."""
    line = getattr(error, "line", None)
    if isinstance(line, int) and line > 0:
        return f"a syntax error near line {line} of its blocks and values"
    return "its blocks are nested too deep" if isinstance(error, RecursionError) else "a syntax error"


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
