"""What the stages of one release ended with, as text and as JSON fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import OrchestrateError, WaitingForApproval
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.release.release import Release
from orchestrator.model.release.stages import Stage
from orchestrator.model.rules.check_names import CHECKS
from orchestrator.release import StageResult
from orchestrator.report.checks import findings
from orchestrator.report.plan.fields import view_fields
from orchestrator.report.plan.head import shown_receipt
from orchestrator.report.plan.refused import error_fields, shown_refused
from orchestrator.report.plan.text import plan_text
from orchestrator.report.release import stages
from orchestrator.stages.release.plan import PlanResult


@dataclass(frozen=True)
class StageReport:
    """How one stage is reported: to people as soon as it has ended, and in the fields of its command's JSON.

    What the functions take is what that stage ends with (`orchestrator.release`). `result` is what `release` adds.
    """

    text: Callable[[Any], str]
    fields: Callable[[Any], dict[str, Any]]
    result: str | None = None


def _check_fields(report: CheckReport) -> dict[str, Any]:
    return {"result": "passed" if report.passed else "failed", "findings": len(report.failing)}


def _plan_text(result: PlanResult) -> str:
    return plan_text(shown_receipt(result.receipt, result.view))


_CHECK = StageReport(findings.as_text, _check_fields)
REPORTS: dict[Stage, StageReport] = {
    **dict.fromkeys(CHECKS, _CHECK),
    "plan": StageReport(_plan_text, stages.plan_fields, result="planned"),
    "approve": StageReport(stages.approved_text, stages.approved_fields),
    "apply": StageReport(stages.apply_text, stages.apply_fields),
    "verify": StageReport(stages.verify_text, stages.verify_fields),
}


def text(done: StageResult) -> str:
    return REPORTS[done.stage].text(done.value)


def fields(done: StageResult) -> dict[str, Any]:
    """One element of `stages` in `release --format json`."""
    report = REPORTS[done.stage]
    added = {} if report.result is None else {"result": report.result}
    return {"stage": done.stage, **added, **report.fields(done.value)}


def release_fields(release: Release, done: list[dict[str, Any]], error: OrchestrateError | None) -> dict[str, Any]:
    """The answer of `release --format json`, also where a stage stopped it."""
    refused = None if error is None else shown_refused(error)
    return {
        "tag": str(release.tag),
        "commit": release.commit,
        "target": release.target.id,
        "result": _result(error),
        "stages": done,
        "error": None if error is None else {"exit_code": error.exit_code, **error_fields(error)["error"]},
        **({} if refused is None else {"refused": view_fields(refused.view, refused.changes)}),
    }


def _result(error: OrchestrateError | None) -> str:
    if error is None:
        return "released"
    return "waiting for approval" if isinstance(error, WaitingForApproval) else "stopped"
