"""What differs between two values, as lines: `~ path: old -> new`, `+` and `-` for what only one side has.

Whatever differs has a line. Strings that hold JSON or YAML are compared by what they hold, long texts line by line,
lists element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from orchestrator.model.plan_view.values import (
    ABSENT,
    UNKNOWN,
    identity,
    inner,
    parsed_json,
    parsed_yaml,
    same,
    shown,
    written,
)

_CONTEXT = 3  # lines round a difference
_MOST_COMPARED = 4_000_000  # pairs of elements or lines; beyond it all of one side is told, then all of the other
_MOST_PAIRED = 2_500
_EXCERPT = 60


@dataclass(frozen=True)
class ValueDifference:
    """Collects the lines."""

    lines: list[str] = field(default_factory=list)

    @staticmethod
    def of(before: Any, after: Any) -> tuple[str, ...]:
        """Of one object: null attributes of what is created or destroyed are not set, and left out."""
        found = ValueDifference()
        if isinstance(after, dict) and before is None:
            found.only("+", "", {key: value for key, value in after.items() if value is not None} or after)
        elif isinstance(before, dict) and after is None:
            found.only("-", "", {key: value for key, value in before.items() if value is not None} or before)
        else:
            found.both("", before, after)
        return tuple(found.lines)

    def tell(self, sign: str, path: str, text: str) -> None:
        self.lines.append(f"{sign} {path or 'value'}: {text}".rstrip(" "))

    def both(self, path: str, before: Any, after: Any) -> None:
        """Two values that stand at the same place."""
        if same(before, after):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            for key in sorted({**before, **after}):
                self.both(inner(path, key), before.get(key, ABSENT), after.get(key, ABSENT))
        elif isinstance(before, list) and isinstance(after, list):
            self._lists(path, before, after)
        elif isinstance(before, str) and isinstance(after, str):
            self._strings(path, before, after)
        elif before is ABSENT or (before is None and after is not ABSENT):
            self.only("+", path, after)
        elif after is ABSENT or after is None:
            self.only("-", path, before)
        elif any(isinstance(value, dict | list) and value for value in (before, after)):
            self.only("-", path, before)
            self.only("+", path, after)
        else:
            self.tell("~", path, f"{written(before)} -> {written(after)}")

    def only(self, sign: str, path: str, value: Any) -> None:
        """A value that only one side has, down to its leaves."""
        if isinstance(value, dict) and value:
            for key in sorted(value):
                self.only(sign, inner(path, key), value[key])
        elif isinstance(value, list) and value:
            for at, item in enumerate(value):
                self.only(sign, inner(path, at), item)
        elif isinstance(value, str):
            held = parsed_json(value)
            if held:
                self.only(sign, path, held)
            elif "\n" in value.rstrip("\n"):
                self.tell(sign, path, "")
                self.lines.extend(f"  {sign} {line}" for line in _lines(value))
            else:
                self.tell(sign, path, written(value))
        else:
            self.tell(sign, path, written(value))

    # Strings --------------------------------------------------------------------------------------------------------

    def _strings(self, path: str, before: str, after: str) -> None:
        held = (parsed_json(before), parsed_json(after))
        if held[0] is not None and held[1] is not None:
            self._structures(path, (before, after), held, "JSON")
            return
        documents = (parsed_yaml(before), parsed_yaml(after))
        if documents[0] is not None and documents[1] is not None:
            self._structures(path, (before, after), documents, "YAML")
        elif "\n" in before.rstrip("\n") or "\n" in after.rstrip("\n"):
            self._texts(path, before, after)
        else:
            self.tell("~", path, f"{written(before)} -> {written(after)}")

    def _structures(self, path: str, texts: tuple[str, str], held: tuple[Any, Any], kind: str) -> None:
        if not same(*held):
            self.both(path, *held)
            if kind == "YAML" and _comments(texts[0]) != _comments(texts[1]):
                self._texts(path, *texts)
        elif any("\n" in text.rstrip("\n") for text in texts):
            self.tell("~", path, f"the same {kind}, written in another way")
            self._texts(path, *texts)
        else:
            old, new = _excerpts(*texts)
            self.tell("~", path, f"the same {kind}, written in another way: {written(old)} -> {written(new)}")

    def _texts(self, path: str, before: str, after: str) -> None:
        """Line by line, with some lines round each difference."""
        old, new = _lines(before), _lines(after)
        self.tell("~", path, "")
        last = 0
        for tag, old_from, old_to, new_from, new_to in _opcodes(old, new):
            if tag == "equal":
                continue
            start = max(last, new_from - _CONTEXT)
            if start > last or last == 0:
                self.lines.append(f"  @@ line {start + 1}")
            self.lines.extend(f"    {line}" for line in new[start:new_from])
            self.lines.extend(f"  - {line}" for line in old[old_from:old_to])
            self.lines.extend(f"  + {line}" for line in new[new_from:new_to])
            last = new_to

    # Lists ----------------------------------------------------------------------------------------------------------

    def _lists(self, path: str, before: list[Any], after: list[Any]) -> None:
        """By element: what is the same on both sides moves along with what is put in or taken out before it."""
        if not before or not after:
            self.only("-", path, before) if before else self.tell("-", path, "[]")
            self.only("+", path, after) if after else self.tell("+", path, "[]")
            return
        old, new = _unlike([identity(item) for item in before], [identity(item) for item in after])
        pairs = _pairs(before, after, old, new)
        for first, second in pairs:
            self._element(path, (first, before[first]), (second, after[second]))
        for at in sorted({*old} - {first for first, _ in pairs}):
            self.only("-", inner(path, at), before[at])
        for at in sorted({*new} - {second for _, second in pairs}):
            self.only("+", inner(path, at), after[at])

    def _element(self, path: str, old: tuple[int, Any], new: tuple[int, Any]) -> None:
        place = inner(path, new[0]) if old[0] == new[0] else f"{path}[{old[0]} -> {new[0]}]"
        if same(old[1], new[1]):
            self.tell("~", place, "moved")
        else:
            self.both(place, old[1], new[1])


def _lines(text: str) -> list[str]:
    """Without an end of the last line that is just as one expects it."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += " (no newline at the end)"
    return [shown(line) for line in lines]


def _comments(text: str) -> list[str]:
    """All that may be a comment of YAML, which reading it loses."""
    return [line[line.index("#") :] for line in text.splitlines() if "#" in line]


def _excerpts(old: str, new: str) -> tuple[str, str]:
    """Both texts from where they begin to differ."""
    at = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, at - _EXCERPT // 3)
    return old[start : start + _EXCERPT], new[start : start + _EXCERPT]


def _opcodes(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[str, int, int, int, int]]:
    """As difflib has them, of what differs at all: comparing takes time as the square of it."""
    if len(old) == 1 == len(new):
        return [("replace", 0, 1, 0, 1)] if old != new else []
    first, shorter = 0, min(len(old), len(new))
    while first < shorter and old[first] == new[first]:
        first += 1
    last = 0
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    middle = (old[first : len(old) - last], new[first : len(new) - last])
    if len(middle[0]) * len(middle[1]) > _MOST_COMPARED:
        return [("replace", first, len(old) - last, first, len(new) - last)]
    found = SequenceMatcher(None, *middle, autojunk=False).get_opcodes()
    return [(tag, a + first, b + first, c + first, d + first) for tag, a, b, c, d in found]


def _unlike(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[list[int], list[int]]:
    """Where the elements stand that have no equal on the other side in the same order."""
    changed = [code for code in _opcodes(old, new) if code[0] != "equal"]
    return (
        [at for _, first, last, _, _ in changed for at in range(first, last)],
        [at for _, _, _, first, last in changed for at in range(first, last)],
    )


def _pairs(before: list[Any], after: list[Any], old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """Which elements are one and the same, changed: those that have most in common, else those at the same place."""
    pairs: list[tuple[int, int]] = []
    blocks = ([a for a in old if isinstance(before[a], dict)], [b for b in new if isinstance(after[b], dict)])
    if 0 < len(blocks[0]) * len(blocks[1]) <= _MOST_PAIRED:
        scores = [(-_common(before[a], after[b]), abs(a - b), a, b) for a in blocks[0] for b in blocks[1]]
        taken: tuple[set[int], set[int]] = (set(), set())
        for score, _, a, b in sorted(scores):
            if score < 0 and a not in taken[0] and b not in taken[1]:
                pairs.append((a, b))
                taken[0].add(a)
                taken[1].add(b)
        old = [at for at in old if at not in taken[0]]
        new = [at for at in new if at not in taken[1]]
    if len(old) == len(new):
        pairs.extend(zip(old, new, strict=True))
    return sorted(pairs, key=lambda pair: pair[1])


def _common(old: dict[str, Any], new: dict[str, Any]) -> int:
    """How many values two objects share."""
    return sum(key in new and value not in (None, UNKNOWN) and same(value, new[key]) for key, value in old.items())
