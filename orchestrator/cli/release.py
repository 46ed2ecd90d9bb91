"""`orchestrate release`: all stages in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context, say
from orchestrator.cli.stages import answer, surroundings, tag_option


@click.command("release", cls=CommandWithCommonOptions)
@tag_option
@pass_context
def release(context: Context, tag: str) -> None:
    """Release a tag: lint, scan, plan, approve, apply, verify; exit 7 where it stops for an approval."""
    run_release(context, tag, lambda fields: answer(context, fields, f"{tag}: released"))


def run_release(context: Context, tag: str, answered: Callable[[dict[str, Any]], None]) -> None:
    """Runs all stages; `answered` gets the result, where JSON is asked for also that of a release that was stopped."""
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
            answered(report.release_fields(at.release, stages, error))
        raise
    answered(report.release_fields(at.release, stages, None))
