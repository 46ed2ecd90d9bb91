"""Terraform's machine-readable output (`-json`): progress and diagnostics.

Source: Terraform documentation, "Machine-Readable UI". A line that is no JSON (a crash) is passed on as it is.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_QUIET = {"version", "planned_change", "resource_drift", "outputs", "refresh_start", "refresh_complete"}
_LONGEST_DETAIL = 12  # lines
_LONGEST_LINE = 600  # characters
_KEPT_LINES = 200
_TOLD_ERRORS = 3
_INTRODUCTION = "Terraform encountered problems during initiali"  # says nothing beside the other errors
# The rules ask for the lock table on purpose (`state.locking`); Terraform's reminder of it is not news.
_LOCK_TABLE = '"dynamodb_table" is deprecated'
# How a program in Go says that it cannot go on; it then ends with 2, which after `plan` would mean changes.
_PANIC = re.compile(r"panic: |fatal error: |SIG[A-Z]+: ")


@dataclass(frozen=True)
class Export:
    """Where a commit's files lie while Terraform works on them: absolute folders, of all of it and of the root.

    What is said of a file is told by its path in the repository: nobody knows the other folder.
    """

    source: str = ""
    root: str = ""

    def path(self, told: str) -> str:
        """From a path that is absolute, or relative to the root; one that leads out of the repository stays."""
        if not self.source:
            return told
        inside = posixpath.relpath(posixpath.join(self.root, told), self.source)
        return told if inside.startswith("../") else inside

    def text(self, told: str) -> str:
        return told.replace(f"{self.source}/", "") if self.source else told


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning of Terraform; `address` is that of the resource or provider it is about."""

    severity: str
    summary: str
    detail: str
    place: str | None = None
    address: str | None = None

    @staticmethod
    def of(value: Mapping[str, Any], export: Export) -> Diagnostic:
        where = value.get("range") or {}
        line = (where.get("start") or {}).get("line")
        address = value.get("address")
        place = f"{export.path(where['filename'])}:{line}" if "filename" in where else address
        summary, _, rest = str(value.get("summary", "")).partition("\n")  # errors of the backend have it all in one
        detail = export.text("\n".join(filter(None, [rest, str(value.get("detail", ""))])))
        return Diagnostic(str(value.get("severity", "error")), summary, detail, place, address)

    @property
    def text(self) -> str:
        """All of it in one line."""
        return " ".join(f"{self.summary} {self.detail}".split())

    @property
    def is_old_news(self) -> bool:
        return self.severity == "warning" and _LOCK_TABLE in self.detail

    @property
    def is_of_a_resource(self) -> bool:
        """Whether it says nothing about Terraform's own surroundings: backend, registry, a provider's login."""
        return self.address is not None and not self.address.startswith("provider[")

    @property
    def whole(self) -> str:
        """All of it, with its place, in as many lines as it has."""
        head = self.summary if self.place is None else f"{self.summary} ({self.place})"
        return "\n".join([head, *(f"  {line.rstrip()}" for line in self.detail.splitlines() if line.strip())])

    def __str__(self) -> str:
        lines = [line.rstrip()[:_LONGEST_LINE] for line in self.detail.splitlines() if line.strip()]
        shown = lines[:_LONGEST_DETAIL] + (["..."] if len(lines) > _LONGEST_DETAIL else [])
        head = self.summary if self.place is None else f"{self.summary} ({self.place})"
        return "\n".join([head, *(f"  {line}" for line in shown)])


@dataclass
class CommandOutput:
    """What one Terraform command said, collected line by line; of lines that are no JSON the last, and the panic."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    other: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_LINES))
    panic: str | None = None
    export: Export = field(default_factory=Export)
    mask: Callable[[str], str] = str
    """Takes secrets out of all that is shown or kept, but for outputs."""

    def take(self, line: str) -> str | None:
        """Notes one line; returns what to show of it, None for nothing."""
        event = _event(line)
        if event is None:
            line = self.mask(line)
            self.other.append(line)
            if self.panic is None and _PANIC.match(line):
                self.panic = line
            return line or None
        kind = event.get("type")
        if kind == "diagnostic":
            return self._diagnostic(Diagnostic.of(event.get("diagnostic", {}), self.export))
        if kind == "outputs":
            self.outputs = dict(event.get("outputs", {}))
        if kind in _QUIET or _reads_data(event):
            return None
        return self.mask(str(event.get("@message", ""))) or None

    def _diagnostic(self, found: Diagnostic) -> str | None:
        """The first errors are the message of the failure; shown here as well they would be read twice."""
        found = replace(found, summary=self.mask(found.summary), detail=self.mask(found.detail))
        if found.severity == "error" and self.errors and found.summary.startswith(_INTRODUCTION):
            return None
        self.diagnostics.append(found)
        if found.severity == "error" and len(self.errors) <= _TOLD_ERRORS:
            return None
        if found.is_old_news:
            return None
        return f"{found.severity.capitalize()}: {found}"

    @property
    def first_errors(self) -> str:
        """For the message of a failure; the others have been shown."""
        text = "\n".join(map(str, self.errors[:_TOLD_ERRORS]))
        others = len(self.errors) - _TOLD_ERRORS
        return f"{text}\n(and {others} more errors, shown above)" if others > 0 else text

    @property
    def errors(self) -> list[Diagnostic]:
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each once, as they came."""
        told = (each.whole for each in self.diagnostics if each.severity == "warning" and not each.is_old_news)
        return tuple(dict.fromkeys(told))


def _reads_data(event: Mapping[str, Any]) -> bool:
    """Data sources are read in every plan; that is not news."""
    hook = event.get("hook")
    return isinstance(hook, dict) and hook.get("action") == "read"


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "@message" in value else None
