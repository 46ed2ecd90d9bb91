"""A plan as text: what can do harm first and always whole; what is left out is said loudly, with the way to see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import east_asian_width

from orchestrator.model.plan_view.order import ChangeGroup, confined_to, in_groups
from orchestrator.model.terraform.plan import SIGNS, Change
from orchestrator.report.plan.head import ShownPlan, notes

SHORTENED = "SHORTENED"

_MOST_LINES = 400
_MOST_ADDRESSES = 1_000
_LONGEST_LINE = 400  # characters
_NARROWEST = 60
_SIGN = re.compile(r"( *)(-/\+|<-|->|[-+~!.#])( |$)")
_COLOURS = {"+": "32", "~": "33", "-": "31", "-/+": "31", "!": "31;1", ".": "31", "#": "2", "<-": "36", "->": "36"}


@dataclass(frozen=True)
class TextStyle:
    """How it is shown: in colour, in a terminal of so many columns (None: no terminal), all of it or at a glance."""

    colour: bool = False
    width: int | None = None
    full: bool = False


def plan_text(plan: ShownPlan, style: TextStyle | None = None) -> str:
    """What a person reviews."""
    style = style or TextStyle()
    lines = [part for line in _lines(plan, style.full) for part in _wrapped(line, style.width)]
    return "\n".join(_coloured(line) if style.colour else line for line in lines)


def _lines(plan: ShownPlan, full: bool) -> Iterator[str]:
    groups = in_groups(plan.view.changes)
    short = _Shortening(full)
    for group in groups:
        if len(groups) > 1:
            yield f"{group.title}: {len(group.changes)}"
        yield from short.group(group)
        yield ""
    for title, texts in notes(plan.view):
        yield f"{title}: {len(texts)}"
        yield from (f"  {line}" for text in texts for line in text.split("\n"))
        yield ""
    only = confined_to(plan.view.changes)
    if only is not None:
        yield f"Nothing is added or removed outside {only}."
    if short.left_out:
        yield f"{SHORTENED}: {short.told}. The whole: {plan.whole or 'add --full'}"
    yield f"{plan.title}: {plan.counts}"
    width = max((len(name) for name, _ in plan.facts), default=0)
    yield from (f"  {name:<{width}} {text}" for name, text in plan.facts)


class _Shortening:
    """Counts what has been shown, and what has been left out."""

    def __init__(self, full: bool) -> None:
        self.full = full
        self.shown = 0
        self.values = 0
        self.details = 0
        self.changes = 0

    @property
    def left_out(self) -> bool:
        return bool(self.values or self.details or self.changes)

    @property
    def told(self) -> str:
        parts = [
            (self.changes, "change{} not even named"),
            (self.details, "change{} only named"),
            (self.values, "long value{} cut"),
        ]
        return ", ".join(f"{number} {text.format('' if number == 1 else 's')}" for number, text in parts if number)

    def group(self, group: ChangeGroup) -> Iterator[str]:
        whole = self.full or group.dangerous
        hidden = 0
        for change in group.changes:
            lines = list(change_lines(change))
            if not whole and self.shown >= _MOST_ADDRESSES:
                hidden += 1
                continue
            if not whole and self.shown + len(lines) > _MOST_LINES and len(lines) > 1:
                self.details += 1
                lines = [f"{lines[0]}  ({SHORTENED}: {len(lines) - 1} lines)"]
            self.shown += 0 if whole else len(lines)
            yield from (line if whole else self._cut(line) for line in lines)
        if hidden:
            self.changes += hidden
            yield f"{SHORTENED}: {hidden} more are not shown"

    def _cut(self, line: str) -> str:
        if len(line) <= _LONGEST_LINE:
            return line
        self.values += 1
        before, arrow, after = line.partition(" -> ")
        if not arrow:
            return f"{line[:_LONGEST_LINE]}... ({SHORTENED}: {len(line)} characters)"
        head, colon, old = before.partition(": ")
        old, new = _where_they_differ(old, after)
        return f"{head[:_LONGEST_LINE]}{colon}{old} -> {new} ({SHORTENED}: {len(line)} characters)"


def _where_they_differ(old: str, new: str) -> tuple[str, str]:
    """As much of both as half a line holds, from just before they begin to differ."""
    at = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    size, start = _LONGEST_LINE // 2, max(0, at - 40)
    pieces = (f"{'...' if start else ''}{text[start : start + size]}" for text in (old, new))
    first, second = (
        f"{piece}{'...' if len(text) > start + size else ''}" for piece, text in zip(pieces, (old, new), strict=True)
    )
    return first, second


def change_lines(change: Change) -> Iterator[str]:
    yield f"{SIGNS[change.action]} {change.address}"
    yield from (f"    {line}" for line in change.details)


# The terminal -------------------------------------------------------------------------------------------------------


def _wrapped(line: str, width: int | None) -> Iterator[str]:
    """In pieces as wide as the terminal, those after the first further in."""
    if width is None:
        yield line
        return
    room = max(width, _NARROWEST)
    if len(line) * 2 <= room or _columns(line) <= room:
        yield line
        return
    indent = " " * min(len(line) - len(line.lstrip(" ")) + 4, 16)
    while _columns(line) > room:
        at = _fitting(line, room)
        blank = line.rfind(" ", len(indent) + 20, at)
        at = blank if blank > 0 else at
        yield line[:at]
        line = indent + line[at:].lstrip(" ")
    yield line


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(1 + (east_asian_width(each) in "WF") for each in text)


def _fitting(text: str, room: int) -> int:
    if text.isascii():
        return room
    used = 0
    for at, each in enumerate(text):
        used += 1 + (east_asian_width(each) in "WF")
        if used > room:
            return at
    return len(text)


def _coloured(line: str) -> str:
    """Terraform's colours: of the sign alone, but of the whole line where it warns."""
    if line.startswith(SHORTENED):
        return f"\x1b[1;31m{line}\x1b[0m"
    found = _SIGN.match(line)
    if found is None:
        return f"\x1b[1m{line}\x1b[0m" if line and not line.startswith(" ") else line
    colour = _COLOURS[found[2]]
    if found[2] == "!":
        return f"{found[1]}\x1b[{colour}m{line[len(found[1]) :]}\x1b[0m"
    return f"{found[1]}\x1b[{colour}m{found[2]}\x1b[0m{line[found.end(2) :]}"
