"""What doctor found, as text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.model.doctor.diagnosis import Diagnosis, State, worst


def fields(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """`exit_code` is the command's."""
    return {"exit_code": worst(diagnoses), "checks": [_check(each) for each in diagnoses]}


def _check(diagnosis: Diagnosis) -> dict[str, Any]:
    given = asdict(diagnosis)
    return {"name": given["name"], "state": given["state"], "found": given["found"], "mend": given["remediation"]}


def text(diagnoses: Sequence[Diagnosis]) -> str:
    """A line a check, below it how to fix it; the sum at the end."""
    width = max((len(diagnosis.name) for diagnosis in diagnoses), default=0)
    return "\n".join([*(line for diagnosis in diagnoses for line in _lines(diagnosis, width)), "", _sum(diagnoses)])


def _lines(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    head, *more = diagnosis.found.splitlines() or [""]
    indent = " " * (width + 11)
    yield f"{diagnosis.state:<7}  {diagnosis.name:<{width}}  {head}".rstrip()
    yield from (f"{indent}{line}" for line in more)
    yield from (f"{indent}-> {line}" for line in (diagnosis.remediation or "").splitlines())


def _sum(diagnoses: Sequence[Diagnosis]) -> str:
    states = Counter(diagnosis.state for diagnosis in diagnoses)
    told = [f"{states[state]} {_WORDS[state]}" for state in _WORDS if states[state]]
    return f"{len(diagnoses)} checks: {', '.join(told)}"


_WORDS: dict[State, str] = {"ok": "in order", "warning": "with a warning", "failed": "failed"}
