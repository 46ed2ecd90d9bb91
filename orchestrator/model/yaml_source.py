"""YAML text to plain values, with the line of every key, refusing what two YAML readers may read differently.

The same files are read by Python (YAML 1.1 by habit) and by Terraform's `yamldecode` (YAML 1.2 core schema). So a
plain scalar is accepted only where both give the same value, and anchors, merge keys and explicit tags not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path: TypeAlias = tuple[str | int, ...]

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The scalars of the YAML 1.2 core schema (chapter 10.3.2) that YAML 1.1 reads to the same value.
_SAME_IN_BOTH = (
    (re.compile("null|Null|NULL|~|"), lambda text: None),
    (re.compile("true|True|TRUE"), lambda text: True),
    (re.compile("false|False|FALSE"), lambda text: False),
    (re.compile("[-+]?(0|[1-9][0-9]*)"), int),
    (re.compile(r"[-+]?[0-9]+\.[0-9]+([eE][-+][0-9]+)?"), float),
)
_YAML_1_2_ONLY = re.compile(
    r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_STRING = "tag:yaml.org,2002:str"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a configuration file; `line` counts from 1, `key` is dotted."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True)
class Source:
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
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def parse(file: str, text: str) -> Source:
    """Never raises: what is wrong with the text stands in `problems`."""
    try:
        nodes = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        return Source(file, None, {}, (_syntax_problem(file, error),))
    if len(nodes) != 1 or not isinstance(nodes[0], MappingNode):
        what = "it must hold one YAML document with keys and values"
        return Source(file, None, {}, (Problem(file, 1, "", what),))
    return _Reader(file).read(nodes[0])


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "a character that YAML does not allow"
    return Problem(file, mark.line + 1 if mark else 1, "", f"this is not YAML: {what}")


class _Reader:
    """Walks the node tree of one file and collects values, lines and problems."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._problems: list[Problem] = []
        self._seen: set[int] = set()

    def read(self, root: Node) -> Source:
        value = self._value(root, ())
        return Source(self._file, value, self._lines, tuple(self._problems))

    def _report(self, node: Node, path: Path, message: str) -> None:
        self._problems.append(Problem(self._file, node.start_mark.line + 1, dotted(path), message))

    def _value(self, node: Node, path: Path) -> object:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._report(node, path, "anchors and aliases are not supported; write the value out")
            return None
        self._seen.add(id(node))
        if isinstance(node, MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, path)

    def _pairs(self, node: MappingNode, path: Path) -> Iterator[tuple[str, object]]:
        first_line: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode) or key_node.tag != _STRING:
                self._report(key_node, path, f"a key must be plain text: quote {getattr(key_node, 'value', 'it')!r}")
                continue
            key = key_node.value
            line = key_node.start_mark.line + 1
            if key in first_line:
                self._report(key_node, (*path, key), f"this key stands twice, first in line {first_line[key]}")
            first_line.setdefault(key, line)
            self._lines[(*path, key)] = line
            yield key, self._value(value_node, (*path, key))

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text: str = node.value
        if any(ord(character) < 32 or ord(character) == 127 for character in text):
            self._report(node, path, "it holds a line break or another control character")
        if node.style in ("'", '"', "|", ">"):
            if node.tag != _STRING:
                self._report(node, path, f"explicit YAML tags such as {node.tag} are not supported")
            return text
        for pattern, construct in _SAME_IN_BOTH:
            if pattern.fullmatch(text):
                return construct(text)
        if node.tag != _STRING or _YAML_1_2_ONLY.fullmatch(text):
            self._report(node, path, f"YAML 1.1 and 1.2 read {text} differently; write it in quotes or another way")
        return text
