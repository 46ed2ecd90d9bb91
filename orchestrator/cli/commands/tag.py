"""`orchestrate tag`: creates the tags of a release."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context, say
from orchestrator.errors import UsageError


@click.command("tag", cls=CommandWithCommonOptions)
@click.option("--env", required=True, help="The environment.")
@click.option("--team", required=True, help="The team.")
@click.option("--version", required=True, help="MAJOR.MINOR or MAJOR.MINOR.PATCH, optionally -rc.N.")
@click.option("--scope", "scopes", multiple=True, help="`global` or a Region; may be given several times.")
@click.option("--all-scopes", is_flag=True, help="Global and every Region of the team.")
@click.option("--commit", metavar="REF", help="A branch or a full commit id. Default: HEAD.")
@click.option("--message", help="The message of the tags. Default: what is released and where.")
@click.option("--sign", is_flag=True, help="Sign the tags, as git is configured (user.signingKey, gpg.format).")
@click.option("--allow-older", is_flag=True, help="Accept a version older than the newest of the target.")
@click.option("--push", is_flag=True, help="Push the tags, all or none.")
@click.option("--remote", default="origin", show_default=True, help="Where to push them.")
@pass_context
def tag(
    context: Context, /, *, scopes: tuple[str, ...], all_scopes: bool, push: bool, remote: str, **wanted: Any
) -> None:
    """Create the tags of a release: all or none."""
    from orchestrator.report.release import tags as report
    from orchestrator.stages.tags.make_tags import TagOptions, make_tags

    if all_scopes == bool(scopes):
        raise UsageError("say where to release: either --scope (once or several times) or --all-scopes")
    request = TagOptions(scopes=None if all_scopes else scopes, remote=remote if push else None, **wanted)
    made = make_tags(context.repository(), request, context.rules_ref)
    for note in made.notes:
        say(note)
    context.answered = True
    click.echo(report.as_json(made) if context.json else report.as_text(made))
