"""`orchestrate tooling plan` and `apply`: the pipelines in the tooling account."""

from __future__ import annotations

import json

import click

from orchestrator.cli.context import Context, GroupOfCommands, pass_context, say

_region_option = click.option(
    "--region", "regions", metavar="REGION", multiple=True, help="Only this tooling Region; may be repeated."
)


@click.group("tooling", cls=GroupOfCommands)
def tooling() -> None:
    """Plan or apply the tooling account: repository, pipelines, roles, records.

    Everything follows from envs/ as it stands in the working tree. Run it again after every change of it.
    """


@tooling.command("plan")
@_region_option
@pass_context
def plan(context: Context, regions: tuple[str, ...]) -> None:
    """Show what `apply` would change."""
    _keep(context, regions, applying=False)


@tooling.command("apply")
@_region_option
@pass_context
def apply(context: Context, regions: tuple[str, ...]) -> None:
    """Make the tooling what envs/ and this version of orchestrate say."""
    _keep(context, regions, applying=True)


def _keep(context: Context, regions: tuple[str, ...], *, applying: bool) -> None:
    from orchestrator.effects.git.repository import project_folder, read_worktree_rules
    from orchestrator.effects.system.host import environment
    from orchestrator.report.setup import tooling as report
    from orchestrator.stages.pipeline.tooling import keep
    from orchestrator.stages.terraform.bundled_root import CommandContext

    project = project_folder(context.start)
    ctx = CommandContext(read_worktree_rules(project), environment(), say)
    fields = []
    for outcome in keep(ctx, project, regions, apply=applying):
        fields.append({"region": outcome.region, **report.done_fields(outcome.done)})
        if not context.json:
            context.answered = True
            click.echo(f"tooling in {outcome.region}\n{report.done_text(outcome.done)}")
    if context.json:
        context.answered = True
        click.echo(json.dumps({"tooling": fields}, indent=2))
