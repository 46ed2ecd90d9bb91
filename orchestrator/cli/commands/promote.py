"""`orchestrate promote`: releases a version to the next environment."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, deciding_rules, pass_context, say


@click.command("promote", cls=CommandWithCommonOptions)
@click.option("--to", "env", required=True, help="The environment to release to; its rules say which one is before it.")
@click.option("--team", required=True, help="The team.")
@click.option("--version", required=True, help="The version, as it is tagged in the environment before.")
@click.option("--scope", "scopes", multiple=True, help="`global` or a Region. Default: all of the team's.")
@click.option("--message", help="The message of the tags. Default: what is released and where.")
@click.option("--sign", is_flag=True, help="Sign the tags, as git is configured (user.signingKey, gpg.format).")
@click.option("--allow-older", is_flag=True, help="Accept a version older than the newest of the target.")
@click.option("--push", is_flag=True, help="Push the tags, all or none.")
@click.option("--remote", default="origin", show_default=True, help="Where to push them.")
@pass_context
def promote(context: Context, /, *, scopes: tuple[str, ...], push: bool, remote: str, **wanted: Any) -> None:
    """Tag what has run in one environment for the next: all tags or none."""
    from orchestrator.report.release import tags as report
    from orchestrator.stages.release.promote import promote as run
    from orchestrator.stages.tags.make_tags import TagOptions

    request = TagOptions(scopes=scopes or None, remote=remote if push else None, **wanted)
    repository = context.repository()
    made = run(repository, request, deciding_rules(context, repository), say)
    for note in made.notes:
        say(note)
    context.answered = True
    click.echo(report.as_json(made) if context.json else report.as_text(made))
