"""Values that a commit's own files call secret, found in their text before anything of them is parsed.

A parser's error may quote what it stumbled over, so this comes first and never fails: what cannot be read as HCL or
JSON is searched line by line. It may find too much, never too little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from orchestrator.model.terraform import hcl_text
from orchestrator.model.text.masking import leaves

_VARIABLE = re.compile(r'^[ \t]*variable[ \t]+"?([\w-]{1,200})"?', re.MULTILINE)
_SENSITIVE = re.compile(r'\b"?(?:sensitive|ephemeral)"?\s*[=:]\s*"?true\b')
_ASSIGNED = re.compile(r'^(?:[ \t]{0,2})"?([\w-]{1,200})"?[ \t]*[=:]', re.MULTILINE)
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)(?:"|$)', re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])\d[\d.]{7,}(?![\w.])")
# Stricter than for the environment: a root has many names with `key` and `token` in them that are none.
_SAYS_SO = re.compile("(password|passwd|passphrase|secret|private_?key|api_?key|access_?key|token)$", re.IGNORECASE)
_MOST = 20_000


def sensitive_names(configuration: str) -> set[str]:
    """Of the variables that a configuration file, in either syntax, declares as sensitive, or whose name says so."""
    parts = _parts(_VARIABLE, _items(configuration, ("variable",)))
    declared = {name for name, text in parts if _SENSITIVE.search(text) or _SAYS_SO.search(name)}
    return declared | {name for name, body in _json_variables(configuration) if _is_sensitive(name, body)}


def defaults(configuration: str, names: Collection[str]) -> Iterator[str]:
    for name, text in _parts(_VARIABLE, _items(configuration, ("variable",))):
        if name in names:
            yield from literals(text)
    for name, body in _json_variables(configuration):
        if name in names:
            yield from leaves(body)


def values(variable_file: str, names: Collection[str]) -> Iterator[str]:
    """What a variable file, in either syntax, sets these variables to."""
    variable_file = variable_file.lstrip("\ufeff")
    parsed = _json(variable_file)
    if isinstance(parsed, dict):
        yield from leaves([value for name, value in parsed.items() if name in names or _SAYS_SO.search(name)])
        return
    parts = [*_parts(_ASSIGNED, variable_file)]
    wanted = {*names, *(name for name, _ in parts if _SAYS_SO.search(name))}
    yield from literals(_items(variable_file, wanted))
    for name, text in parts:
        if name in wanted:
            yield from literals(text)


def literals(text: str) -> Iterator[str]:
    """Quoted texts, lines of heredocs and long numbers in a piece of HCL."""
    yield from islice((_plain(found[1]) for found in _QUOTED.finditer(text)), _MOST)
    yield from islice((found[0] for found in _NUMBER.finditer(text)), _MOST)
    # Where a heredoc ends is the reader's to say, and readers differ: each line from there on may be one of it.
    yield from islice((line.strip() for line in text.partition("<<")[2].splitlines()[1:]), _MOST)


def _plain(quoted: str) -> str:
    found = _json(f'"{quoted}"')
    return (found if isinstance(found, str) else quoted).replace("$${", "${").replace("%%{", "%{")


def _items(text: str, names: Collection[str]) -> str:
    try:
        return hcl_text.items(text.lstrip("\ufeff"), names)
    except ValueError:
        return text


def _parts(begins: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """Each match's first group, with the text from there to the next match."""
    found = [*begins.finditer(text)]
    for match, after in zip(found, [*found[1:], None], strict=False):
        yield match[1], text[match.end() : len(text) if after is None else after.start()]


def _json_variables(text: str) -> Iterator[tuple[str, Any]]:
    parsed = _json(text)
    blocks = parsed.get("variable") if isinstance(parsed, dict) else None
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if isinstance(block, dict):
            yield from block.items()


def _is_sensitive(name: str, body: Any) -> bool:
    blocks = body if isinstance(body, list) else [body]
    said = [each.get(mark) for each in blocks if isinstance(each, dict) for mark in ("sensitive", "ephemeral")]
    return bool(_SAYS_SO.search(name)) or any(mark in (True, "true") for mark in said)


def _json(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff")) if text.lstrip("\ufeff \t\r\n")[:1] in ("{", '"') else None
    except (ValueError, RecursionError):
        return None
