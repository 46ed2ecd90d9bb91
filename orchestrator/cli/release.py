"""`orchestrate release`: all stages in order."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context, say
from orchestrator.cli.stages import answer, surroundings, tag_option


@click.command("release", cls=CommandWithCommonOptions)
@tag_option
@pass_context
def release(context: Context, tag: str) -> None:
    """Release a tag: lint, scan, plan, approve, apply, verify; exit 7 where it stops for an approval."""
    from orchestrator.errors import OrchestrateError
    from orchestrator.release import release as run
    from orchestrator.report import outcomes as report

    at = surroundings(context, tag)
    stages: list[dict[str, Any]] = []
    try:
        for result in run(at):
            stages.append(report.fields(result))
            say(report.text(result))
    except OrchestrateError as error:
        if context.json:
            answer(context, report.release_fields(at.release, stages, error), "")
        raise
    answer(context, report.release_fields(at.release, stages, None), f"{tag}: released")
