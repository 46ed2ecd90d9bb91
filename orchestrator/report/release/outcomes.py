"""What the stages of one release ended with, as text and as JSON fields."""

from __future__ import annotations

from typing import Any

from orchestrator.errors import OrchestrateError, WaitingForApproval
from orchestrator.model.checks.check import CheckReport
from orchestrator.model.release.release import Release
from orchestrator.release import Result
from orchestrator.report.checks import findings
from orchestrator.report.plan.fields import view_fields
from orchestrator.report.plan.head import shown_receipt
from orchestrator.report.plan.refused import error_fields, shown_refused
from orchestrator.report.plan.text import plan_text
from orchestrator.report.release import stages
from orchestrator.stages.approval.approve import Approved
from orchestrator.stages.release.apply import ApplyResult
from orchestrator.stages.release.plan import PlanResult


def text(result: Result) -> str:
    """For people, as soon as a stage has ended."""
    if isinstance(result, CheckReport):
        return findings.as_text(result)
    if isinstance(result, PlanResult):
        return plan_text(shown_receipt(result.receipt, result.view))
    if isinstance(result, Approved):
        return stages.approved_text(result)
    if isinstance(result, ApplyResult):
        return stages.apply_text(result)
    return stages.verify_text(result)


def fields(result: Result) -> dict[str, Any]:
    """One element of `stages` in `release --format json`."""
    if isinstance(result, CheckReport):
        outcome = "passed" if result.passed else "failed"
        return {"stage": result.check, "result": outcome, "findings": len(result.failing)}
    if isinstance(result, PlanResult):
        return {"stage": "plan", "result": "planned", **stages.plan_fields(result)}
    if isinstance(result, Approved):
        return {"stage": "approve", **stages.approved_fields(result)}
    if isinstance(result, ApplyResult):
        return {"stage": "apply", **stages.apply_fields(result)}
    return {"stage": "verify", **stages.verify_fields(result)}


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
