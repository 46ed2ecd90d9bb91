"""A plan as the fields of its JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.model.plan_view.order import in_groups
from orchestrator.model.plan_view.view import PlanView, ResourceView


def view_fields(view: PlanView, changes: bool) -> dict[str, Any]:
    """What every command that shows a plan answers with; values only where the plan itself was read."""
    told = [_resource(each) for each in view.resources] or msgspec.to_builtins(view.changes)
    return {
        "summary": msgspec.to_builtins(view.summary),
        "changes": changes,
        "resources": told,
        "dangerous": [
            change.address for group in in_groups(view.changes) if group.dangerous for change in group.changes
        ],
        "drift": msgspec.to_builtins(view.drift),
        "failed_checks": list(view.checks),
        "warnings": list(view.warnings),
    }


def _resource(each: ResourceView) -> dict[str, Any]:
    return {
        "address": each.change.address,
        "action": each.change.action,
        "reason": each.reason,
        "before": each.before,
        "after": each.after,
        "unknown": each.unknown,
        "sensitive": each.sensitive,
        "details": list(each.change.details),
    }
