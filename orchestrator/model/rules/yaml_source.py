"""YAML text to plain values, with the line of every key, refusing what two YAML readers may read differently.

The same files are read by Python (YAML 1.1 by habit) and by Terraform's `yamldecode` (YAML 1.2 core schema, with
exceptions: it takes `y` for true and `2024-1-2` for a time). So a plain scalar is accepted only where all give the
same value, and anchors, aliases, merge keys and explicit tags not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml
from yaml import AliasEvent, Event, MappingStartEvent, ScalarEvent

from orchestrator.model.text.quoting import escaped, quoted

Path: TypeAlias = tuple[str | int, ...]

DEEPEST = 20
LONGEST = 1_000_000
"""Characters of one file: hundreds of teams need a tenth of that."""
_MOST_PROBLEMS = 1000

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML_1_1: Any = yaml.resolver.Resolver()
_STRING = "tag:yaml.org,2002:str"

# Numbers are cut at 15 digits: beyond, a reader that keeps them in 64-bit floating point gives another value.
_SAME_EVERYWHERE: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile("null|Null|NULL|~|"), lambda text: None),
    (re.compile("true|True|TRUE"), lambda text: True),
    (re.compile("false|False|FALSE"), lambda text: False),
    (re.compile("[-+]?(0|[1-9][0-9]{0,14})"), int),
    (re.compile(r"[-+]?(0|[1-9][0-9]{0,7})\.[0-9]{1,7}([eE][-+][0-9]{1,2})?"), float),
)
# What is a string by YAML 1.1 but not to every reader. Underscores are taken out first, as some readers do.
_OTHER_THAN_TEXT = re.compile(
    r"[yYnN]"
    r"|[-+]?[0-9]+|[-+]?0[oO][0-7]+|[-+]?0[xX][0-9a-fA-F]+|[-+]?0[bB][01]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.?(inf|Inf|INF)|\.?(nan|NaN|NAN)"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"
)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a configuration file; `line` counts from 1, `key` is dotted."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{escaped(self.file)}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True)
class YamlSource:
    """A parsed file: `value` holds dicts, lists and scalars; `lines` the line of each key path."""

    file: str
    value: object
    lines: dict[Path, int]
    problems: tuple[Problem, ...]

    def line(self, path: Path) -> int:
        """The line of the key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        return Problem(self.file, self.line(path), dotted(path), message)


def dotted(path: Path) -> str:
    """`("teams", "research", "regions", 0)` as `teams.research.regions[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if re.fullmatch("[A-Za-z0-9_-]{1,64}", part) else quoted(part, 64)
            text += f".{name}" if text else name
    return text


def parse(file: str, text: str) -> YamlSource:
    """Never raises: what is wrong with the text stands in `problems`."""
    if len(text) > LONGEST:
        return YamlSource(file, None, {}, (Problem(file, 1, "", f"it is longer than {LONGEST} characters"),))
    reader = _Reader(file)
    try:
        return reader.read(yaml.parse(text, Loader=_LOADER))
    except _TooDeep:
        return YamlSource(file, None, {}, tuple(reader.problems))
    except yaml.YAMLError as error:
        return YamlSource(file, None, {}, (*reader.problems, _syntax_problem(file, error)))
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return YamlSource(file, None, {}, (Problem(file, line, "", "this is not UTF-8 text"),))


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "a character that YAML does not allow"
    return Problem(file, mark.line + 1 if mark else 1, "", f"this is not YAML: {what}")


class _TooDeep(Exception):
    """Reading ends there: libyaml's time grows with the square of the depth."""


class _Reader:
    """Reads the events of one file into values, lines and problems.

    Events, not nodes: PyYAML's C composer recurses without a limit, and a file of brackets ends the process.
    """

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines: dict[Path, int] = {}
        self._events: Iterator[Event] = iter(())

    def read(self, events: Iterator[Event]) -> YamlSource:
        self._events = (event for event in events if not isinstance(event, yaml.StreamStartEvent))
        is_document = isinstance(next(self._events), yaml.DocumentStartEvent)
        first = next(self._events) if is_document else None
        value = self._value(first, ()) if isinstance(first, MappingStartEvent) else None
        if value is None or [type(event) for event in self._events] != [yaml.DocumentEndEvent, yaml.StreamEndEvent]:
            what = "it must hold one YAML document with keys and values"
            return YamlSource(self._file, None, {}, (Problem(self._file, 1, "", what),))
        return YamlSource(self._file, value, self._lines, tuple(self.problems))

    def _report(self, event: Event, path: Path, message: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(self._file, _line(event), dotted(path), message))

    def _value(self, event: Event, path: Path) -> object:
        self._lines.setdefault(path, _line(event))
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            self._report(event, path, "anchors and aliases are not supported; write the value out")
        elif getattr(event, "tag", None) is not None:
            self._report(event, path, "explicit YAML tags (!...) are not supported")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, AliasEvent):
            return None
        if len(path) >= DEEPEST:
            self._report(event, path, f"it is nested deeper than {DEEPEST} levels")
            raise _TooDeep
        return dict(self._pairs(path)) if isinstance(event, MappingStartEvent) else list(self._items(path))

    def _items(self, path: Path) -> Iterator[object]:
        index = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, (*path, index))
            index += 1

    def _pairs(self, path: Path) -> Iterator[tuple[str, object]]:
        first_line: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._skip(next(self._events))
                continue
            if key in first_line:
                self._report(event, (*path, key), f"this key stands twice, first in line {first_line[key]}")
            first_line.setdefault(key, _line(event))
            self._lines[(*path, key)] = _line(event)
            yield key, self._value(next(self._events), (*path, key))

    def _key(self, event: Event, path: Path) -> str | None:
        """The key; None, reported, where it is not text to every reader."""
        if not isinstance(event, ScalarEvent):
            self._report(event, path, "a key must be plain text, not a list, a mapping or an alias")
            self._skip(event)
        elif event.anchor is not None or event.tag is not None:
            self._report(event, path, "anchors and explicit YAML tags are not supported")
        elif not event.value.isprintable():
            self._report(event, path, f"the key {quoted(event.value)} holds a line break or an invisible character")
        elif not event.style and (_is_other_than_text(event.value) or _same_everywhere(event.value)):
            self._report(event, path, f"a key must be plain text: put {quoted(event.value)} in quotes")
        else:
            return str(event.value)
        return None

    def _skip(self, event: Event) -> None:
        """Reads past a value."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self._events)

    def _scalar(self, event: ScalarEvent, path: Path) -> object:
        text: str = event.value
        if not text.isprintable():
            self._report(event, path, "it holds a line break or an invisible character")
        if event.style or event.tag is not None:
            return text
        construct = _same_everywhere(text)
        if construct is not None:
            return construct(text)
        if _is_other_than_text(text):
            message = f"YAML readers take {quoted(text, 40)} for different values; put it in quotes"
            self._report(event, path, message)
        return text


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _same_everywhere(plain: str) -> Callable[[str], object] | None:
    """What makes the value of a plain scalar that is not text, but the same to every reader."""
    return next((construct for pattern, construct in _SAME_EVERYWHERE if pattern.fullmatch(plain)), None)


def _is_other_than_text(plain: str) -> bool:
    by_1_1 = _YAML_1_1.resolve(yaml.ScalarNode, plain, (True, False))
    return bool(by_1_1 != _STRING) or _OTHER_THAN_TEXT.fullmatch(plain.replace("_", "")) is not None
