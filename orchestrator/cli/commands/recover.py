"""`orchestrate recover`: finishes what an interrupted run has left."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option


@click.command("recover", cls=CommandWithCommonOptions)
@tag_option
@click.option(
    "--set-aside",
    metavar="REASON",
    default="",
    help="Go on without a state that could not be saved and does not fit the stored one; recorded.",
)
@pass_context
def recover(context: Context, tag: str, set_aside: str) -> None:
    """Finish a run that was killed: release its locks when it is shown to be gone, and store its unsaved state."""
    from orchestrator.report.release import recovery as report
    from orchestrator.stages.recovery.recover import recover as run

    at = surroundings(context, tag)
    result = run(at, set_aside)
    answer(context, report.recovery_fields(result), report.recovery_text(result))
