"""What a plan would do, read from its JSON (Terraform documentation, "JSON Output Format")."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from orchestrator.errors import StageFailed
from orchestrator.model.text import decoding

_COUNTED = ("add", "change", "destroy", "replace")
_SIGNS = {"add": "+", "change": "~", "destroy": "-", "replace": "-/+", "forget": ".", "import": "<-", "move": "->"}
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LONGEST_VALUE = 60
_CONTEXT = 12  # characters before the first difference


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts of resources; a replacement counts as replace alone."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0

    def __str__(self) -> str:
        return f"{self.add} to add, {self.change} to change, {self.destroy} to destroy, {self.replace} to replace"


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to one resource or output; `details` are lines such as `tags.release: "1.0" -> "1.1"`."""

    address: str
    action: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{_SIGNS[self.action]} {self.address}"
        return "\n".join([head, *(f"    {line}" for line in self.details)])


@dataclass(frozen=True)
class Plan:
    """A plan that can be shown to anyone: sensitive values never stand in it."""

    summary: Summary
    changes: tuple[Change, ...]
    resources_after: int


class _Head(msgspec.Struct):
    format_version: str


def is_plan(content: bytes) -> bool:
    """Whether it is JSON of the form that `terraform show -json` gives to a plan (its documentation, "JSON Output")."""
    try:
        return decoding.decode(content, _Head).format_version.startswith("1.")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def read(content: bytes) -> Plan:
    """From `terraform show -json`; raises StageFailed for a plan that ended in an error or is incomplete."""
    document = json.loads(content)
    if document.get("errored"):
        raise StageFailed("the plan ended in an error; it can be neither reviewed nor applied")
    if document.get("complete") is False:
        raise StageFailed("the plan leaves a part of the configuration out (-target, or actions that Terraform defers)")
    resources = [found for change in document.get("resource_changes", []) if (found := _resource(change))]
    outputs = [found for name, change in document.get("output_changes", {}).items() if (found := _output(name, change))]
    counts = {kind: sum(change.action == kind for change in resources) for kind in _COUNTED}
    planned = document.get("planned_values", {}).get("root_module", {})
    return Plan(Summary(**counts), (*resources, *outputs), _managed(planned))


def _managed(module: Mapping[str, Any]) -> int:
    """The managed resources in a module and in those below it."""
    own = len([resource for resource in module.get("resources", []) if resource["mode"] == "managed"])
    return own + sum(_managed(child) for child in module.get("child_modules", []))


def _resource(entry: Mapping[str, Any]) -> Change | None:
    change = entry["change"]
    action = _action(change["actions"])
    if action is None and change.get("importing"):
        action = "import"
    if action is None and entry.get("previous_address"):
        action = "move"
    return None if action is None else Change(entry["address"], action, (*_origin(entry), *_details(change, action)))


def _origin(entry: Mapping[str, Any]) -> Iterator[str]:
    """Which object it is, where the address alone does not tell."""
    if "deposed" in entry:
        yield f"an earlier object that is still to be destroyed ({entry['deposed']})"
    if entry.get("previous_address"):
        yield f"moved from {entry['previous_address']}"
    if imported := (entry["change"].get("importing") or {}).get("id"):
        yield f"imported as {_text_of(imported)}"
    if entry.get("action_reason") == "replace_because_tainted":
        yield "is replaced because it was left half-made"


def _output(name: str, change: Mapping[str, Any]) -> Change | None:
    action = _action(change["actions"])
    return None if action is None else Change(f"output.{name}", action, tuple(_details(change, action)))


def _action(actions: Sequence[str]) -> str | None:
    """None for what changes nothing; raises StageFailed for an action that is not known."""
    try:
        return _ACTIONS[tuple(actions)]
    except KeyError:
        raise StageFailed(f"the plan holds an action that is not known: {', '.join(actions)}") from None


_ACTIONS: Mapping[tuple[str, ...], str | None] = {
    ("no-op",): None,
    ("read",): None,
    ("create",): "add",
    ("update",): "change",
    ("delete",): "destroy",
    ("forget",): "forget",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("create", "forget"): "replace",
}


def _details(change: Mapping[str, Any], action: str) -> Iterator[str]:
    if action not in ("change", "replace"):
        return
    before, after = change.get("before"), change.get("after")
    hidden = (change.get("before_sensitive"), change.get("after_sensitive"))
    yield from _differences("", before, _with_unknown(after, change.get("after_unknown")), hidden)
    if action == "replace" and change.get("replace_paths"):
        yield f"forces replacement: {', '.join(_replaced(path, hidden) for path in change['replace_paths'])}"


def _replaced(path: Sequence[Any], hidden: tuple[Any, Any]) -> str:
    """The path, up to where the keys themselves are sensitive."""
    text = ""
    for key in path:
        if True in hidden:
            break
        text, hidden = _inner(text, key), _marks(hidden, key)
    return text or "value"


def _inner(path: str, key: Any) -> str:
    """One step further; a key that is not a name is quoted, as it may hold anything."""
    if isinstance(key, str) and _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key)}]"


class _Unknown:
    def __repr__(self) -> str:
        return "(known after apply)"


def _with_unknown(after: Any, unknown: Any) -> Any:
    if unknown is True:
        return _Unknown()
    if isinstance(unknown, dict) and isinstance(after, dict | None):
        known = after or {}
        return {key: _with_unknown(known.get(key), unknown.get(key)) for key in {**known, **unknown}}
    if isinstance(unknown, list) and isinstance(after, list):
        rest = [None] * (len(after) - len(unknown))
        return [_with_unknown(item, mark) for item, mark in zip(after, [*unknown, *rest], strict=False)]
    return after


def _differences(path: str, before: Any, after: Any, hidden: tuple[Any, Any]) -> Iterator[str]:
    """The leaves that differ; a leaf is hidden where either side marks it or something around it as sensitive."""
    if _same(before, after):
        return
    if True in hidden:
        yield f"{path or 'value'}: (sensitive value)"
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differences(_inner(path, key), before.get(key), after.get(key), _marks(hidden, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(_inner(path, index), old, new, _marks(hidden, index))
    elif any(_marks_something(mark) for mark in hidden):
        yield f"{path or 'value'}: (holds sensitive values)"
    else:
        old, new = _around_difference(_text_of(before), _text_of(after))
        yield f"{path or 'value'}: {old} -> {new}"


def _same(before: Any, after: Any) -> bool:
    """To Python 0 and false are equal."""
    return before == after and _text_of(before) == _text_of(after)


def _marks(hidden: tuple[Any, Any], key: Any) -> tuple[Any, Any]:
    return _mark(hidden[0], key), _mark(hidden[1], key)


def _mark(marks: Any, key: Any) -> Any:
    if isinstance(marks, dict):
        return marks.get(key, False)
    if isinstance(marks, list) and isinstance(key, int) and key < len(marks):
        return marks[key]
    return marks if marks is True else False


def _marks_something(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(_marks_something(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(_marks_something(mark) for mark in marks)
    return marks is True


def _text_of(value: Any) -> str:
    return repr(value) if isinstance(value, _Unknown) else json.dumps(value, default=repr)


def _around_difference(old: str, new: str) -> tuple[str, str]:
    """Both texts, long ones cut to where they begin to differ."""
    if max(len(old), len(new)) <= _LONGEST_VALUE:
        return old, new
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - _CONTEXT)
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST_VALUE
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")
