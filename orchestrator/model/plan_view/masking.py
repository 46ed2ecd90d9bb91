"""Sensitive values of a plan, kept out of all that is shown of it: wherever they stand once anything marks them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

from orchestrator.model.plan_view.values import ABSENT, HIDDEN, HIDDEN_AND_OTHER, UNKNOWN, parsed_json, same

# A shorter value, and a word of JSON, is hidden where it is marked and nowhere else: it would hide half of the plan.
_SHORTEST = 4
_SHORTEST_LINE = 8
_COMMON = frozenset({"true", "false", "null", "none"})


@dataclass(frozen=True)
class Secrets:
    """What to hide; `pattern` finds all of it in any text, None where there is nothing."""

    pattern: re.Pattern[str] | None = None
    cache: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(marked: Iterable[tuple[Any, Any]]) -> Secrets:
        """From values with their marks."""
        found: set[str] = set()
        for value, marks in marked:
            _collect(value, marks, found)
        forms = {form for text in found for form in _forms(text)}
        return Secrets(re.compile(_alternatives(forms)) if forms else None)

    def text(self, text: str) -> str:
        """The text without them, also where it is JSON that writes them in its own way."""
        if self.pattern is None:
            return text
        if text not in self.cache:
            self.cache[text] = self._text(text)
        return self.cache[text]

    def _text(self, text: str) -> str:
        assert self.pattern is not None
        held = parsed_json(text) if "\\" in text else None
        if held is not None:
            clean, _ = self.pair(held, held, (False, False))
            if not same(clean, held):
                text = _dumped(clean)
        return self.pattern.sub(HIDDEN, text)

    def pair(self, before: Any, after: Any, marks: tuple[Any, Any]) -> tuple[Any, Any]:
        """Both sides without them. Whatever differs before differs afterwards."""
        if self.pattern is None and not any(marks):
            return before, after
        if True in marks:
            return _hidden(before, after)
        if isinstance(before, dict) and isinstance(after, dict):
            return self._objects(before, after, marks)
        if isinstance(before, list) and isinstance(after, list):
            return self._lists(before, after, marks)
        old, new = self._one(before, marks), self._one(after, marks)
        if not same(old, new) or same(before, after):
            return old, new
        held = [parsed_json(value) if isinstance(value, str) else None for value in (before, after)]
        if None not in held:
            old, new = self.pair(held[0], held[1], (False, False))
            return _dumped(old), _dumped(new)
        return old, new.replace(HIDDEN, HIDDEN_AND_OTHER) if isinstance(new, str) else HIDDEN_AND_OTHER

    def _objects(self, before: dict[str, Any], after: dict[str, Any], marks: Any) -> tuple[Any, Any]:
        old: dict[str, Any] = {}
        new: dict[str, Any] = {}
        names: set[str] = set()
        for key in {**before, **after}:
            name = self._name(key, names)
            first, second = self.pair(before.get(key, ABSENT), after.get(key, ABSENT), inner_marks(marks, key))
            if first is not ABSENT:
                old[name] = first
            if second is not ABSENT:
                new[name] = second
        return old, new

    def _name(self, key: str, names: set[str]) -> str:
        name, number = self.text(key), 1
        while name in names:
            number += 1
            name = f"{self.text(key)} {number}"
        names.add(name)
        return name

    def _lists(self, before: list[Any], after: list[Any], marks: Any) -> tuple[Any, Any]:
        size = min(len(before), len(after))
        pairs = [self.pair(before[at], after[at], inner_marks(marks, at)) for at in range(size)]
        old = [first for first, _ in pairs] + [
            self._one(item, inner_marks(marks, at)) for at, item in enumerate(before[size:], size)
        ]
        new = [second for _, second in pairs] + [
            self._one(item, inner_marks(marks, at)) for at, item in enumerate(after[size:], size)
        ]
        return old, new

    def _one(self, value: Any, marks: tuple[Any, Any]) -> Any:
        if isinstance(value, dict | list):
            return self.pair(value, value, marks)[0]
        if True in marks:
            return _hidden(value, value)[0]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return value if self.text(str(value)) == str(value) else HIDDEN
        return value


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _hidden(before: Any, after: Any) -> tuple[Any, Any]:
    """What is not there, or not known yet, is no secret."""
    open_values = (None, ABSENT, UNKNOWN)
    old = before if any(before is each for each in open_values) else HIDDEN
    new = after if any(after is each for each in open_values) else HIDDEN
    return old, (HIDDEN_AND_OTHER if new is HIDDEN and old is HIDDEN and not same(before, after) else new)


def inner_marks(marks: tuple[Any, Any], key: Any) -> tuple[Any, Any]:
    """The marks one step further in."""
    return _mark(marks[0], key), _mark(marks[1], key)


def _mark(marks: Any, key: Any) -> Any:
    if isinstance(marks, dict):
        return marks.get(key, False)
    if isinstance(marks, list) and isinstance(key, int) and key < len(marks):
        return marks[key]
    return marks if marks is True else False


def joined(first: Any, second: Any) -> Any:
    """Marks of both sides as one: true, or nested as the value is; empty where nothing is marked."""
    if first is True or second is True:
        return True
    if isinstance(first, dict) or isinstance(second, dict):
        pair = (first, second)
        keys = {key for marks in pair if isinstance(marks, dict) for key in marks}
        found = {key: joined(*inner_marks(pair, key)) for key in sorted(keys)}
        return {key: marks for key, marks in found.items() if marks not in (False, {}, [])}
    if isinstance(first, list) or isinstance(second, list):
        size = max(len(marks) for marks in (first, second) if isinstance(marks, list))
        return [joined(*inner_marks((first, second), at)) for at in range(size)]
    return False


# What to look for ---------------------------------------------------------------------------------------------------


def _collect(value: Any, marks: Any, found: set[str]) -> None:
    if marks is True:
        found.update(_scalars(value))
    elif isinstance(marks, dict) and isinstance(value, dict):
        for key, mark in marks.items():
            _collect(value.get(key), mark, found)
    elif isinstance(marks, list) and isinstance(value, list):
        for item, mark in zip(value, marks, strict=False):
            _collect(item, mark, found)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif isinstance(value, str):
        yield value
        held = parsed_json(value)
        if held is not None:
            yield from _scalars(held)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield str(value)


def _forms(secret: str) -> Iterator[str]:
    """How it may stand in a text: as it is, line by line, and as JSON, an address or base64 has it."""
    if len(secret) < _SHORTEST or secret.lower() in _COMMON or not secret.strip():
        return
    yield secret
    lines = [line.strip() for line in secret.splitlines()]
    yield from (line for line in lines if len(lines) > 1 and len(line) >= _SHORTEST_LINE)
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    yield from (quoted, json.dumps(secret)[1:-1])
    yield quoted.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    yield from (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))
    content = secret.encode("utf-8", "replace")
    yield from (base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode())


def _alternatives(forms: Iterable[str]) -> str:
    """Grouped by their first two characters: thousands of secrets are looked for at once."""
    groups: dict[str, dict[str, list[str]]] = {}
    for form in sorted(forms, key=len, reverse=True):
        groups.setdefault(form[0], {}).setdefault(form[1], []).append(re.escape(form[2:]))
    return "|".join(
        re.escape(first)
        + "(?:"
        + "|".join(f"{re.escape(second)}(?:{'|'.join(rests)})" for second, rests in seconds.items())
        + ")"
        for first, seconds in groups.items()
    )
