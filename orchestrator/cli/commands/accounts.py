"""`orchestrate accounts`: the roles of the workload accounts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context, say

if TYPE_CHECKING:
    from orchestrator.model.rules import accounts as model


@click.command("accounts", cls=CommandWithCommonOptions)
@click.option("--env", "envs", metavar="ENV", multiple=True, help="Only this environment; may be repeated.")
@click.option("--team", "teams", metavar="TEAM", multiple=True, help="Only this team's accounts; may be repeated.")
@click.option("--plan", "planning", is_flag=True, help="Show what would be made in each account.")
@click.option("--apply", "applying", is_flag=True, help="Make it.")
@click.option(
    "--role",
    default="OrganizationAccountAccessRole",
    show_default=True,
    help="The role of the workload accounts to do it with; it may manage IAM there.",
)
@pass_context
def accounts(
    context: Context, envs: tuple[str, ...], teams: tuple[str, ...], planning: bool, applying: bool, role: str
) -> None:
    """Show, plan or make the two deployment roles and their boundaries in each workload account.

    What each account is given follows from envs/ alone. The roles of the tooling account that are trusted must be
    there first: `orchestrate tooling apply` makes them.
    """
    from orchestrator.model.rules import accounts as model
    from orchestrator.report.setup import accounts as report

    rules = load_rules_from_worktree(context)
    found = model.accounts(rules, envs, teams)
    if planning or applying:
        _keep(context, found, role, applying=applying)
        return
    shown = [report.account_fields(account) for account in found]
    text = "\n\n".join(report.account_text(account) for account in found)
    context.answered = True
    click.echo(json.dumps({"accounts": shown}, indent=2) if context.json else text)


def _keep(context: Context, found: tuple[model.Account, ...], role: str, *, applying: bool) -> None:
    from orchestrator.effects.system.host import environment
    from orchestrator.report.setup import accounts as report
    from orchestrator.stages.pipeline.accounts import keep
    from orchestrator.stages.terraform.bundled_root import CommandContext

    ctx = CommandContext(load_rules_from_worktree(context), environment(), say)
    outcomes = []
    for outcome in keep(ctx, found, role, apply=applying):
        outcomes.append(outcome)
        say(report.outcome_text(outcome))
    if context.json:
        context.answered = True
        click.echo(json.dumps({"accounts": [report.outcome_fields(outcome) for outcome in outcomes]}, indent=2))
    if (error := report.failure(outcomes)) is not None:
        raise error
