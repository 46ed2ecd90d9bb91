"""`orchestrate follow-up`: says what came of a broken glass."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option


@click.command("follow-up", cls=CommandWithCommonOptions)
@tag_option
@click.option("--note", required=True, help="What was done, and what comes of it.")
@pass_context
def follow_up(context: Context, tag: str, note: str) -> None:
    """Say what came of a broken glass; `status` asks for it until then."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.approval.follow_up import follow_up as run

    given = run(surroundings(context, tag), note)
    answer(context, report.follow_up_fields(given), report.follow_up_text(given))
