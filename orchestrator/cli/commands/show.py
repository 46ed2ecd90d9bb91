"""`orchestrate show`: what a tag means, or what a receipt says and what became of it."""

from __future__ import annotations

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    load_rules_from_worktree,
    pass_context,
    text_style,
)
from orchestrator.errors import UsageError


class _ShowCommand(CommandWithCommonOptions):
    formats = ("text", "json", "env", "markdown", "html")


@click.command("show", cls=_ShowCommand)
@click.option("--tag", help="The release tag.")
@click.option("--receipt", metavar="DIGEST", help="The digest of a plan's receipt, or at least 12 characters of it.")
@click.option("--env", help="With --receipt: only this environment.")
@click.option("--full", is_flag=True, help="With --receipt: all of the plan, however much it is.")
@pass_context
def show(context: Context, tag: str | None, receipt: str | None, env: str | None, full: bool) -> None:
    """Show what a tag means, from git and the rules alone; or a stored receipt, verified."""
    if (tag is None) == (receipt is None):
        raise UsageError("name either a tag (--tag) or a receipt (--receipt)")
    if receipt is not None:
        _show_receipt(context, receipt, env, full)
    else:
        _show_tag(context, tag or "")


def _show_tag(context: Context, tag: str) -> None:
    from orchestrator.report.release import release as report
    from orchestrator.stages.tags.resolve import resolve

    release = resolve(context.repository(), tag, context.rules_ref)
    click.echo(report.SHOW[context.format](release))


def _show_receipt(context: Context, digest: str, env: str | None, full: bool) -> None:
    from orchestrator.report.history import receipt as report
    from orchestrator.stages.context.selection import Selection
    from orchestrator.stages.history.receipt_view import show_receipt

    if context.format == "env":
        raise UsageError("a receipt has no --format env", hint="Use --format json.")
    shown = show_receipt(load_rules_from_worktree(context), digest, Selection(env))
    if context.format in ("markdown", "html"):
        click.echo(report.page(shown, context.format))
    else:
        answer(context, report.fields(shown), report.text(shown, text_style(full=full)))
