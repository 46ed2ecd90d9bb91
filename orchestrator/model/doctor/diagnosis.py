"""What `orchestrate doctor` says about one thing that a release needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from orchestrator.errors import DependencyError, OrchestrateError

State: TypeAlias = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Diagnosis:
    """One check: what was found and how to fix it. `exit_code` is 0 unless it failed."""

    name: str
    state: State
    found: str
    remediation: str | None = None
    exit_code: int = 0


def ok(name: str, found: str) -> Diagnosis:
    return Diagnosis(name, "ok", found)


def warning(name: str, found: str, remediation: str | None) -> Diagnosis:
    return Diagnosis(name, "warning", found, remediation)


def failed(name: str, error: OrchestrateError) -> Diagnosis:
    return Diagnosis(name, "failed", error.message, error.hint, error.exit_code)


def not_checked(name: str, because: str) -> Diagnosis:
    """It is not known to be in order, so it is not ok; what kept it from being checked has failed itself."""
    return warning(name, f"not checked: {because}", None)


def looked(name: str, look: Callable[[], Diagnosis]) -> Diagnosis:
    """What was found by looking; where that raises, the check has failed."""
    try:
        return look()
    except OrchestrateError as error:
        return failed(name, error)
    except OSError as error:
        return failed(name, DependencyError(f"{error.filename or 'the system'}: {error.strerror}"))


def worst(diagnoses: Iterable[Diagnosis]) -> int:
    """The exit code for all of them: 0 where nothing failed."""
    return max((diagnosis.exit_code for diagnosis in diagnoses), default=0)
