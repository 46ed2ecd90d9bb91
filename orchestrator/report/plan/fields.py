"""A plan as the fields of its JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.model.plan_view.order import in_groups
from orchestrator.model.plan_view.view import PlanView, ResourceView
from orchestrator.model.text.json_text import readable_json

_DEEPEST = 200  # levels; jq 1.6 reads 256, Python some 990


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


def _readable(value: Any, room: int = _DEEPEST) -> Any:
    """What is nested deeper than many readers of JSON can follow is told as a string that holds the JSON of it."""
    if not isinstance(value, dict | list) or not value:
        return value
    if room == 0:
        return readable_json(value, indent=0)
    if isinstance(value, dict):
        return {key: _readable(item, room - 1) for key, item in value.items()}
    return [_readable(item, room - 1) for item in value]


def _resource(each: ResourceView) -> dict[str, Any]:
    return {
        "address": each.change.address,
        "action": each.change.action,
        "reason": each.reason,
        "before": _readable(each.before),
        "after": _readable(each.after),
        "unknown": _readable(each.unknown),
        "sensitive": _readable(each.sensitive),
        "details": list(each.change.details),
    }
