"""`orchestrate tools`: the programs that a release needs."""

from __future__ import annotations

import click

from orchestrator.cli.context import Context, GroupOfCommands, common_options, pass_context, say

_NAMES = ("terraform", "tofu", "tflint", "checkov")


@click.group("tools", cls=GroupOfCommands, invoke_without_command=True)
@common_options
@pass_context
@click.pass_context
def tools(click_context: click.Context, context: Context) -> None:
    """Show which terraform, tflint and checkov are used; install what is missing.

    A program is looked for where ORCHESTRATE_TERRAFORM, ORCHESTRATE_TFLINT or ORCHESTRATE_CHECKOV says, then on PATH,
    then among those that `install` has put into the cache folder ($ORCHESTRATE_CACHE).
    """
    if click_context.invoked_subcommand is not None:
        return
    from orchestrator.effects.surroundings import environment
    from orchestrator.effects.tools.survey import survey
    from orchestrator.report import tools as report

    findings = survey(environment())
    click.echo(report.as_json(findings) if context.json else report.as_text(findings))


@tools.command("install")
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(_NAMES))
@pass_context
def install(context: Context, names: tuple[str, ...]) -> None:
    """Install what is missing, in the pinned versions, for this user alone.

    Without a NAME: terraform, tflint and checkov. What is there already stays as it is.
    """
    from orchestrator.effects.surroundings import environment
    from orchestrator.effects.tools.install import ensure
    from orchestrator.effects.tools.survey import NEEDED, survey
    from orchestrator.report import tools as report

    env = environment()
    for name in names or NEEDED:
        tool = ensure(name, env=env, progress=say)
        say(f"{tool.name} {tool.version}: {tool.path}")
    if context.json:
        click.echo(report.as_json(survey(env)))


@tools.command("path")
@click.argument("name", type=click.Choice(_NAMES))
def path(name: str) -> None:
    """Print the path of the program that is used."""
    from orchestrator.effects.surroundings import environment
    from orchestrator.effects.tools import find

    click.echo(str(find(name, env=environment()).path))
