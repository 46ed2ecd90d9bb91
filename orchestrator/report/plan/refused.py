"""A refused plan: shown as every other, and why it is refused."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.errors import OrchestrateError
from orchestrator.model.plan_view.refusal import PlanRefused
from orchestrator.report.plan.fields import view_fields
from orchestrator.report.plan.head import ShownPlan


def shown_refused(error: OrchestrateError) -> ShownPlan | None:
    """None where nothing was planned that could be shown."""
    if not isinstance(error, PlanRefused) or error.view is None:
        return None
    return ShownPlan(f"Refused plan of {error.tag}", error.view, True, ())


def refused_fields(error: OrchestrateError) -> dict[str, Any]:
    """What stopped a command, beside what is known of a plan that was refused."""
    shown = shown_refused(error)
    return {**({} if shown is None else view_fields(shown.view, shown.changes)), **error_fields(error)}


def error_fields(error: OrchestrateError) -> dict[str, Any]:
    findings = error.findings if isinstance(error, PlanRefused) else ()
    return {
        "error": {
            "code": error.exit_code,
            "kind": error.kind,
            "message": error.message,
            "hint": error.hint,
            "findings": [msgspec.to_builtins(each) for each in findings],
        }
    }
