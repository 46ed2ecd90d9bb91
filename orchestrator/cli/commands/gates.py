"""`orchestrate gates`: why a release is stopped, or would be."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, say
from orchestrator.errors import UsageError


class _GatesCommand(CommandWithCommonOptions):
    formats = ("text", "json", "markdown")


@click.command("gates", cls=_GatesCommand)
@click.option("--tag", help="The release tag. Without it: which gates there are.")
@pass_context
def gates(context: Context, tag: str | None) -> int:
    """Show every gate of a release, which of them hold now, and why each that does not.

    Changes and records nothing. Exits with 0 where all hold that can be asked, 4 where some refuse, 7 where only
    approvals are missing, and 6 where some could not be asked.
    """
    from orchestrator.report.history import gates as report

    if tag is None:
        from orchestrator.stages.gates.registry import GATES

        text = report.list_markdown(GATES) if context.format == "markdown" else report.list_text(GATES)
        answer(context, report.list_fields(GATES), text)
        return 0
    from orchestrator.effects.system.host import environment
    from orchestrator.stages.history.gates import gate_states

    if context.format == "markdown":
        raise UsageError("the gates of a release have no --format markdown", hint="Use --format json.")
    states = gate_states(context.repository(), tag, context.rules_ref, environment(), say)
    answer(context, report.fields(states), report.text(states))
    return states.exit_code
