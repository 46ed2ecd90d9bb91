"""Runs one release, for the commands that end in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.cli.context import Context, say, surroundings


def run_release(context: Context, tag: str, answered: Callable[[dict[str, Any]], None]) -> None:
    """Runs all stages; `answered` gets the result, where JSON is asked for also that of a release that was stopped."""
    from orchestrator.effects.system.run_events import note
    from orchestrator.errors import OrchestrateError
    from orchestrator.model.release.fleet import RunEvent
    from orchestrator.release import release as run
    from orchestrator.report.release import outcomes as report

    at = surroundings(context, tag)
    stages: list[dict[str, Any]] = []

    def began(stage: str) -> None:
        say(f"== {stage}: {tag}")
        note(at.env, RunEvent(stage=stage))

    try:
        for result in run(at, began):
            stages.append(report.fields(result))
            say(report.text(result))
    except OrchestrateError as error:
        if context.json:
            answered(report.release_fields(at.release, stages, error))
        raise
    answered(report.release_fields(at.release, stages, None))
