"""`orchestrate targets`: what can be released where."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context


@click.command("targets", cls=CommandWithCommonOptions)
@click.option("--env", help="Only this environment.")
@click.option("--team", help="Only this team.")
@pass_context
def targets(context: Context, env: str | None, team: str | None) -> None:
    """List what can be released and where its state is."""
    from orchestrator.report.setup import targets as report
    from orchestrator.stages.context.targets import list_targets

    found = list_targets(load_rules_from_worktree(context), env, team)
    context.answered = True
    click.echo(report.as_json(found) if context.json else report.as_text(found))
