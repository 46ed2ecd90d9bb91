"""Many releases as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from orchestrator.model.release.fleet import RESULTS, TargetRun
from orchestrator.report.text.table import table
from orchestrator.stages.fleet.fleet import FleetResult


def text(outcome: FleetResult) -> str:
    """The table, and below it why each that did not succeed did not."""
    rows = (_row(run) for run in outcome.runs)
    why = [f"{run.tag}: {run.why}" for run in outcome.runs if run.why]
    return "\n".join([table(("TAG", "EXECUTION", "STAGE", "RESULT"), rows), "", *why, _counts(outcome.runs)])


def _row(run: TargetRun) -> tuple[str, ...]:
    return (run.tag, run.execution or "-", run.stage or "-", run.result)


def _counts(runs: Sequence[TargetRun]) -> str:
    counted = Counter(run.result for run in runs)
    return ", ".join(f"{number} {result}" for result, number in counted.most_common())


def fields(outcome: FleetResult, where: str) -> dict[str, Any]:
    """`release --format json` for more than one release, or for one on AWS."""
    return {
        "on": where,
        "result": RESULTS[outcome.code],
        "exit_code": outcome.code,
        "releases": [_fields(run) for run in outcome.runs],
    }


def _fields(run: TargetRun) -> dict[str, Any]:
    return {
        "tag": run.tag,
        "target": run.target,
        "commit": run.commit or None,
        "wave": run.wave + 1,
        "stage": run.stage or None,
        "result": run.result,
        "exit_code": run.code,
        "execution": run.execution or None,
        "log": run.log or None,
        "why": run.why or None,
    }
