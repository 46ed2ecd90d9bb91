"""Terraform's machine-readable output (`-json`): progress, diagnostics, and what an error means.

Source: Terraform documentation, "Machine-Readable UI". A line that is no JSON (a crash) is passed on as it is.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from orchestrator.errors import InvalidInput, Locked, OrchestrateError, Refused, StageFailed, SurroundingsFailed

_QUIET = {"version", "planned_change", "resource_drift", "outputs", "refresh_start", "refresh_complete"}
_LONGEST_DETAIL = 12  # lines
_LONGEST_LINE = 600  # characters
_KEPT_LINES = 200
_TOLD_ERRORS = 3
_INTRODUCTION = "Terraform encountered problems during initiali"  # says nothing beside the other errors
# The rules ask for the lock table on purpose (`state.locking`); Terraform's reminder of it is no news.
_LOCK_TABLE = '"dynamodb_table" is deprecated'


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
    def is_of_a_resource(self) -> bool:
        """Whether it says nothing about Terraform's own surroundings: backend, registry, a provider's login."""
        return self.address is not None and not self.address.startswith("provider[")

    def __str__(self) -> str:
        lines = [line.rstrip()[:_LONGEST_LINE] for line in self.detail.splitlines() if line.strip()]
        shown = lines[:_LONGEST_DETAIL] + (["..."] if len(lines) > _LONGEST_DETAIL else [])
        head = self.summary if self.place is None else f"{self.summary} ({self.place})"
        return "\n".join([head, *(f"  {line}" for line in shown)])


@dataclass
class Output:
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
        if found.severity == "warning" and _LOCK_TABLE in found.detail:
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


def _reads_data(event: Mapping[str, Any]) -> bool:
    """Data sources are read in every plan; that is no news."""
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


# What an error means ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Meaning:
    """An error text of Terraform, and the class of error and hint it stands for."""

    text: re.Pattern[str]
    error: type[OrchestrateError]
    hint: str


_LOCK_FILE = (
    "Run `terraform init` and `terraform providers lock -platform=linux_amd64 -platform=linux_arm64 "
    "-platform=darwin_arm64` in the root configuration, and commit .terraform.lock.hcl."
)


def _meaning(text: str, error: type[OrchestrateError], hint: str) -> _Meaning:
    return _Meaning(re.compile(text, re.IGNORECASE), error, hint)


# Of any error, those of single resources too.
_MEANINGS: tuple[_Meaning, ...] = (
    _meaning(
        "saved plan is stale|plan.{0,40}does not match the given state",
        Refused,
        "The state has changed since the plan was made: run `orchestrate plan` again and review that.",
    ),
    _meaning(
        "AWS account ID not allowed",
        Refused,
        "The provider reached an account that is not the target's: see the account in envs/ and the role it trusts.",
    ),
    _meaning(
        "dependency lock file|provider dependency changes|match any of the checksums|locked provider",
        InvalidInput,
        _LOCK_FILE,
    ),
    _meaning(
        "cannot assume IAM role|AssumeRole.*AccessDenied",
        SurroundingsFailed,
        "Does the role exist in the workload account, and does it trust these credentials (and the external id)?",
    ),
    _meaning(
        "no valid credential|ExpiredToken|InvalidClientTokenId|failed to refresh cached credentials",
        SurroundingsFailed,
        "Log in to the tooling account again; `orchestrate doctor` shows who you are.",
    ),
)
# Of errors of the backend, the registry and the providers' logins: the same words from a resource mean the resource.
_SURROUNDINGS: tuple[_Meaning, ...] = (
    _meaning(
        "failed to (save|persist) state|errored.tfstate",
        SurroundingsFailed,
        "What was done is not in the stored state, but in errored.tfstate of the workspace. When AWS answers again, "
        "`orchestrate recover` stores it; until then nothing can be planned there.",
    ),
    _meaning(
        "S3 bucket .* does not exist|NoSuchBucket|Requested resource not found",
        SurroundingsFailed,
        "`orchestrate bootstrap` makes the state stores.",
    ),
    _meaning(
        "failed to (query|install) .*provider|could not retrieve the list|registry service is unreachable",
        SurroundingsFailed,
        "Terraform could not get a provider: is its registry or mirror reachable?",
    ),
    _meaning(
        "SlowDown|throttl|ThroughputExceeded|TooManyRequests|RequestLimitExceeded",
        SurroundingsFailed,
        "AWS asked to slow down: try again in a minute.",
    ),
    _meaning(
        "AccessDenied|not authorized|status ?code: 403",
        SurroundingsFailed,
        "AWS refused it: `orchestrate doctor` shows who you are and what these credentials may do.",
    ),
    _meaning(
        "error (loading|refreshing|saving|acquiring the) state|failed to (load|get) .*(state|workspaces)"
        "|connection refused|connection reset|no such host|dial tcp|i/o timeout|request send failed",
        SurroundingsFailed,
        "AWS could not be reached, or failed: try again; `orchestrate doctor` checks credentials and stores.",
    ),
)


@dataclass(frozen=True)
class Run:
    """A command of ours: when it began, and how Terraform calls us (user@host) in locks."""

    began: datetime
    who: str


def failure(what: str, output: Output, returncode: int, run: Run | None = None) -> OrchestrateError:
    """The error that a failed Terraform command stands for; `what` names it, as in "the plan"."""
    errors = output.errors
    lock = next((found for error in errors if (found := _held_lock(error)) is not None), None)
    if lock is not None:
        return _locked(lock, run)
    if not errors:
        return StageFailed(f"{what} failed: {_crash(output, returncode)}")
    message, meaning = f"{what} failed: {output.first_errors}", _first_meaning(errors)
    return StageFailed(message) if meaning is None else meaning.error(message, hint=meaning.hint)


def _first_meaning(errors: Sequence[Diagnostic]) -> _Meaning | None:
    own = [error.text for error in errors if not error.is_of_a_resource]
    pairs = ((_MEANINGS, [error.text for error in errors]), (_SURROUNDINGS, own))
    return next((m for meanings, texts in pairs for m in meanings if any(map(m.text.search, texts))), None)


# How a program in Go says that it cannot go on; it then ends with 2, which after `plan` would mean changes.
_PANIC = re.compile(r"panic: |fatal error: |SIG[A-Z]+: ")


def _crash(output: Output, returncode: int) -> str:
    if returncode < 0:
        return f"Terraform was killed by signal {-returncode}"
    last = next((line for line in reversed(output.other) if line.strip()), "it gave no reason")
    return f"Terraform ended with exit code {returncode}: {(output.panic or last)[:300]}"


_UNKNOWN = "unknown"
_LOCK_LINE = re.compile(r"^\s*(ID|Path|Operation|Who|Created):[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LockInfo:
    """Who holds a state lock, as Terraform tells."""

    id: str
    path: str
    operation: str
    who: str
    created: str

    @staticmethod
    def of(text: str) -> LockInfo:
        found = {name: value.strip() for name, value in _LOCK_LINE.findall(text)}
        names = ("ID", "Path", "Operation", "Who", "Created")
        return LockInfo(*(found.get(name) or _UNKNOWN for name in names))


def _held_lock(error: Diagnostic) -> LockInfo | None:
    """The lock that somebody holds; a lock may also fail because its store does."""
    if "acquiring the state lock" not in error.summary.lower():
        return None
    if "Lock Info:" in error.detail or re.search("ConditionalCheckFailed|PreconditionFailed", error.detail):
        return LockInfo.of(error.detail)
    return None


def _locked(lock: LockInfo, run: Run | None) -> Locked:
    if lock.id == _UNKNOWN:
        return Locked("somebody else locked the state at the same moment", hint="Try again.")
    wait = "Wait until that run ends."
    if run is not None and lock.who == run.who and lock.created >= f"{run.began:%Y-%m-%d %H:%M:%S}":
        wait = "You made that lock, after this command began: perhaps AWS carried out one request of it twice."
    return Locked(
        f"the state {lock.path} is locked by {lock.who} since {lock.created} ({lock.operation}, lock {lock.id})",
        hint=f"{wait} `orchestrate recover --tag TAG` shows whether it is still alive, and finishes it when it was "
        f"killed. A lock of nobody's: `orchestrate unlock --tag TAG --lock-id {lock.id}`.",
    )
