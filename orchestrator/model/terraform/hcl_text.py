"""Cuts the text of an HCL file into its top-level items, so that only those that matter have to be parsed.

A full parser of a root configuration is slow, and each construct that it does not know would keep a repository from
being released. Where a block begins and ends depends on quotes, heredocs, comments and brackets alone
(HCL Native Syntax Specification, "Lexical Elements" and "Template Expressions").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_SKIPPED = re.compile(r"[^\"#/<{}\[\]()\n]+")
_COMMENT = re.compile(r"(?:#|//)[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)\r?\n")
# Within a template: an escape, the start of an interpolation or directive, the end of a quoted one, anything else.
_QUOTED = re.compile(r"(?P<escape>\\.|\$\$\{|%%\{)|(?P<inner>[$%]\{)|(?P<end>\")|[^\"\\$%\n]+|[$%]")
_LINES = re.compile(r"(?P<escape>\$\$\{|%%\{)|(?P<inner>[$%]\{)|(?P<newline>\n)|[^$%\n]+|[$%]")
_WORD = re.compile(r"\s*([^\W\d][\w-]*)")
_CLOSING = {"{": "}", "[": "]", "(": ")"}


class Unreadable(ValueError):
    """The text is not HCL; the message says what is wrong and in which line."""


def items(text: str, names: Collection[str]) -> str:
    """The top-level blocks and attributes that begin with one of these words, without comments.

    Raises Unreadable for a bracket, quote or heredoc without an end.
    """
    return "\n".join(item for item in _items(text) if (word := _WORD.match(item)) and word[1] in names)


def _items(text: str) -> Iterator[str]:
    """What stands between the line ends that no bracket, quote or heredoc contains."""
    kept: list[str] = []
    position = 0
    while position < len(text):
        if text[position] == "\n":
            yield "".join(kept)
            kept, position = [], position + 1
            continue
        position = _token(text, position, kept)
    yield "".join(kept)


def _token(text: str, start: int, kept: list[str]) -> int:
    """Takes one token, a bracket or a template together with all it holds; returns where it ends."""
    open_: list[str] = []  # closing brackets, quotes and markers of heredocs that are still to come
    position = start
    while True:
        position = (
            _in_template(text, position, open_, kept) if _is_template(open_) else _in_code(text, position, open_, kept)
        )
        if not open_:
            return position
        if position >= len(text):
            line = text.count("\n", 0, start) + 1
            missing = "the end of a heredoc" if open_[-1].startswith("\n") else open_[-1]
            raise Unreadable(f"what begins in line {line} has no end: {missing} is missing")


def _is_template(open_: list[str]) -> bool:
    return bool(open_) and open_[-1] not in ("}", "]", ")")


def _in_code(text: str, position: int, open_: list[str], kept: list[str]) -> int:
    comment = _COMMENT.match(text, position)
    if comment is not None:
        kept.append(" ")
        return comment.end()
    heredoc = _HEREDOC.match(text, position)
    if heredoc is not None:
        open_.append(f"\n{heredoc[1]}")
        return _keep(text, position, heredoc.end(), kept)
    if text.startswith("<<", position):
        raise Unreadable(f"line {text.count(chr(10), 0, position) + 1} begins a heredoc with an unusual marker")
    found = _SKIPPED.match(text, position)
    if found is not None:
        return _keep(text, position, found.end(), kept)
    _bracket(text, position, open_)
    return _keep(text, position, position + 1, kept)


def _bracket(text: str, position: int, open_: list[str]) -> None:
    character = text[position]
    if character == '"':
        open_.append('"')
    elif character in _CLOSING:
        open_.append(_CLOSING[character])
    elif character in _CLOSING.values() and (not open_ or open_.pop() != character):
        raise Unreadable(f"line {text.count(chr(10), 0, position) + 1} has a {character} that nothing opens")


def _in_template(text: str, position: int, open_: list[str], kept: list[str]) -> int:
    """One part of a quoted string (which no line end may break) or of a heredoc."""
    quoted = open_[-1] == '"'
    if not quoted and _ends(text, position, open_[-1]):
        open_.pop()
        return position if position >= len(text) else _keep(text, position, _end_of_line(text, position), kept)
    found = (_QUOTED if quoted else _LINES).match(text, position)
    if found is None:
        raise Unreadable(f"line {text.count(chr(10), 0, position) + 1} ends within a quoted string")
    if found["inner"]:
        open_.append("}")
    elif quoted and found["end"]:
        open_.pop()
    return _keep(text, position, found.end(), kept)


def _ends(text: str, position: int, marker: str) -> bool:
    """Whether a line begins here that holds the marker of the heredoc alone."""
    return text[position - 1] == "\n" and text[position : _end_of_line(text, position)].strip() == marker.strip()


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _keep(text: str, start: int, end: int, kept: list[str]) -> int:
    kept.append(text[start:end])
    return end
