"""What was planned or applied of a root of orchestrate's own, as text and as values for JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.report.plan.head import ShownPlan
from orchestrator.report.plan.text import TextStyle, plan_text
from orchestrator.stages.terraform.bundled_root import Done


def done_fields(done: Done) -> dict[str, Any]:
    return {
        "result": _result(done),
        "changes": done.changes,
        "summary": msgspec.to_builtins(done.plan.summary),
        "resources": [change.address for change in done.plan.changes],
        "outputs": dict(done.outputs),
    }


def done_text(done: Done) -> str:
    shown = plan_text(ShownPlan(_result(done), done.plan, done.changes, ()), TextStyle(full=True))
    return "\n".join(f"  {line}" if line else "" for line in shown.split("\n"))


def _result(done: Done) -> str:
    if not done.changes:
        return "no changes"
    return "applied" if done.applied else "planned"
