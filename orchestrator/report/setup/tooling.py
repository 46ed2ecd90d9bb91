"""What was planned or applied of a root of orchestrate's own, as text and as values for JSON."""

from __future__ import annotations

from typing import Any

import msgspec

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
    lines = [f"  {change}".replace("\n", "\n  ") for change in done.plan.changes]
    return "\n".join([*lines, f"  {_result(done)}: {done.plan.summary}"])


def _result(done: Done) -> str:
    if not done.changes:
        return "no changes"
    return "applied" if done.applied else "planned"
