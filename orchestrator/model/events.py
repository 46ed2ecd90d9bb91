"""Terraform's machine-readable output (`-json`): progress, diagnostics, and what an error means.

Source: Terraform documentation, "Machine-Readable UI". A line that is no JSON (a crash) is passed on as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import InvalidInput, Locked, OrchestrateError, Refused, StageFailed, SurroundingsFailed

_QUIET = {"version", "planned_change", "resource_drift", "outputs", "refresh_start", "refresh_complete"}
_LONGEST_DETAIL = 12  # lines
# The rules ask for the lock table on purpose (`state.locking`); Terraform's reminder of it is no news.
_LOCK_TABLE = '"dynamodb_table" is deprecated'


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning of Terraform."""

    severity: str
    summary: str
    detail: str
    place: str | None = None

    @staticmethod
    def of(value: Mapping[str, Any]) -> Diagnostic:
        where = value.get("range") or {}
        line = (where.get("start") or {}).get("line")
        place = f"{where['filename']}:{line}" if "filename" in where else value.get("address")
        return Diagnostic(
            str(value.get("severity", "error")), str(value.get("summary", "")), str(value.get("detail", "")), place
        )

    def __str__(self) -> str:
        lines = [line.rstrip() for line in self.detail.strip().splitlines()]
        shown = lines[:_LONGEST_DETAIL] + (["..."] if len(lines) > _LONGEST_DETAIL else [])
        head = self.summary if self.place is None else f"{self.summary} ({self.place})"
        return "\n".join([head, *(f"  {line}" for line in shown)]).rstrip()


@dataclass
class Output:
    """What one Terraform command said, collected line by line."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)

    def take(self, line: str) -> str | None:
        """Notes one line; returns what to show of it, None for nothing."""
        event = _event(line)
        if event is None:
            self.other.append(line)
            return line or None
        kind = event.get("type")
        if kind == "diagnostic":
            found = Diagnostic.of(event.get("diagnostic", {}))
            self.diagnostics.append(found)
            if found.severity == "warning" and _LOCK_TABLE in found.detail:
                return None
            return f"{found.severity.capitalize()}: {found}"
        if kind == "outputs":
            self.outputs = dict(event.get("outputs", {}))
        if kind in _QUIET or _reads_data(event):
            return None
        return str(event.get("@message", "")) or None

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
        "dependency lock file|provider dependency changes|does not match any of the checksums|locked provider"
        "|no hashes|cached package.*checksum",
        InvalidInput,
        _LOCK_FILE,
    ),
    _meaning(
        "S3 bucket .* does not exist|NoSuchBucket|Requested resource not found",
        SurroundingsFailed,
        "`orchestrate bootstrap` makes the state stores.",
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
    _meaning(
        "failed to (query|install) .*provider|could not (retrieve|connect)|registry service is unreachable",
        SurroundingsFailed,
        "Terraform could not get a provider: is its registry or mirror reachable?",
    ),
    _meaning(
        "error (loading|refreshing|saving) state|failed to (load|save|get|persist) .*(state|workspaces)"
        "|connection refused|no such host|dial tcp|request send failed",
        SurroundingsFailed,
        "AWS could not be reached or refused: `orchestrate doctor` checks credentials and stores.",
    ),
)


def failure(what: str, output: Output, returncode: int) -> OrchestrateError:
    """The error that a failed Terraform command stands for; `what` names it, as in "the plan"."""
    errors = output.errors
    lock = next((error for error in errors if "acquiring the state lock" in error.summary.lower()), None)
    if lock is not None:
        return _locked(lock)
    if not errors:
        return StageFailed(f"{what} failed: {_crash(output.other, returncode)}")
    text = "\n".join(str(error) for error in errors[:3])
    more = f"\n(and {len(errors) - 3} more errors, shown above)" if len(errors) > 3 else ""
    meaning = _first_meaning(errors)
    if meaning is None:
        return StageFailed(f"{what} failed: {text}{more}")
    return meaning.error(f"{what} failed: {text}{more}", hint=meaning.hint)


def _first_meaning(errors: Sequence[Diagnostic]) -> _Meaning | None:
    texts = [" ".join(f"{error.summary} {error.detail}".split()) for error in errors]
    return next((m for m in _MEANINGS if any(m.text.search(text) for text in texts)), None)


def _crash(lines: Sequence[str], returncode: int) -> str:
    if returncode < 0:
        return f"Terraform was killed by signal {-returncode}"
    last = next((line for line in lines if "panic:" in line), lines[-1] if lines else "it gave no reason")
    return f"Terraform ended with exit code {returncode}: {last[:300]}"


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
        return LockInfo(*(found.get(name) or "unknown" for name in names))


def _locked(error: Diagnostic) -> Locked:
    lock = LockInfo.of(error.detail)
    return Locked(
        f"the state {lock.path} is locked by {lock.who} since {lock.created} ({lock.operation}, lock {lock.id})",
        hint="Wait until that run ends. Where it is certain that it was killed, `orchestrate unlock --tag TAG "
        f"--lock-id {lock.id}` releases the lock.",
    )
