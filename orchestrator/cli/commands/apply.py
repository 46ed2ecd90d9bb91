"""`orchestrate apply`: applies the newest stored plan of a tag."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option


@click.command("apply", cls=CommandWithCommonOptions)
@tag_option
@pass_context
def apply(context: Context, tag: str) -> None:
    """Apply the newest stored plan of a tag, exactly as it was stored."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.release.apply import apply as run

    result = run(surroundings(context, tag))
    answer(context, report.apply_fields(result), report.apply_text(result))
