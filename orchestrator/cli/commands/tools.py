"""`orchestrate tools`: the programs that a release needs."""

from __future__ import annotations

import click

from orchestrator.cli.context import Context, GroupOfCommands, common_options, pass_context, say
from orchestrator.effects.tools.pinned import load_pins

_NAMES = tuple(load_pins())


@click.group("tools", cls=GroupOfCommands, invoke_without_command=True)
@common_options
@pass_context
@click.pass_context
def tools(click_context: click.Context, context: Context) -> None:
    """Show which terraform (or tofu), tflint and checkov are used; install what is missing.

    In a project whose `terraform.program` is tofu, tofu takes the place of terraform.

    A program is looked for where ORCHESTRATE_TERRAFORM, ORCHESTRATE_TOFU, ORCHESTRATE_TFLINT or ORCHESTRATE_CHECKOV
    says, then on PATH, then among those that `install` has put into the cache folder ($ORCHESTRATE_CACHE).
    """
    if click_context.invoked_subcommand is not None:
        return
    from orchestrator.effects.system.host import environment
    from orchestrator.effects.tools.survey import survey
    from orchestrator.report.setup import tools as report

    findings = survey(_needed(context), environment())
    context.answered = True
    click.echo(report.as_json(findings) if context.json else report.as_text(findings))


@tools.command("install")
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(_NAMES))
@pass_context
def install(context: Context, names: tuple[str, ...]) -> None:
    """Install what is missing, in the pinned versions, for this user alone.

    Without a NAME: all that the project needs, which is terraform (or tofu, where `terraform.program` says so), tflint
    and checkov. What is there already stays as it is.
    """
    from orchestrator.effects.system.host import environment
    from orchestrator.effects.tools.install import ensure
    from orchestrator.effects.tools.survey import survey
    from orchestrator.report.setup import tools as report

    env, needed = environment(), _needed(context) if context.json or not names else ()
    for name in names or needed:
        tool = ensure(name, env=env, progress=say)
        say(f"{tool.name} {tool.version}: {tool.path}")
    if context.json:
        context.answered = True
        click.echo(report.as_json(survey(needed, env)))


def _needed(context: Context) -> tuple[str, ...]:
    from orchestrator.effects.git.current_rules import standing_program
    from orchestrator.model.tools.tool import needed

    return needed(standing_program(context.start, context.rules_ref, say), _NAMES)


@tools.command("path")
@click.argument("name", type=click.Choice(_NAMES))
def path(name: str) -> None:
    """Print the path of the program that is used."""
    from orchestrator.effects.system.host import environment
    from orchestrator.effects.tools.find import find

    click.echo(str(find(name, env=environment()).path))
