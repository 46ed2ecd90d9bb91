"""`orchestrate show`: what a tag means."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context


class _ShowCommand(CommandWithCommonOptions):
    formats = ("text", "json", "env")


@click.command("show", cls=_ShowCommand)
@click.option("--tag", required=True, help="The release tag.")
@pass_context
def show(context: Context, tag: str) -> None:
    """Show what a tag means, from git and the rules alone."""
    from orchestrator.report import release as report
    from orchestrator.stages.resolve import resolve

    release = resolve(context.repository(), tag, context.rules_ref)
    click.echo(report.SHOW[context.format](release))
