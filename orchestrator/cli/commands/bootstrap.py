"""`orchestrate bootstrap`: the stores of each environment, made or fixed."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context, say


@click.command("bootstrap", cls=CommandWithCommonOptions)
@click.option("--env", "envs", metavar="ENV", multiple=True, help="Only this environment; may be repeated.")
@click.option("--check", is_flag=True, help="Only report what differs (exit code 1 if anything does).")
@pass_context
def bootstrap(context: Context, envs: tuple[str, ...], check: bool) -> int:
    """Create or repair the state bucket, lock table, release bucket, ledger and KMS key of each environment.

    Nothing is ever deleted. What is in order stays untouched, so it may run as often as you like.
    """
    from orchestrator.effects.aws.session import Session
    from orchestrator.report.setup import bootstrap as report
    from orchestrator.stages.stores import bootstrap as stage

    rules = load_rules_from_worktree(context)
    wanted = stage.stores_of(rules, envs)
    aws = Session(rules.project.state.region)
    outcomes = stage.bootstrap(aws, wanted, check=check, tell=lambda done: _tell(report.progress(done)))
    context.answered = True
    click.echo(report.as_json(outcomes) if context.json else report.as_text(outcomes))
    if (error := report.failures(outcomes)) is not None:
        raise error
    return int(any(outcome.state in ("missing", "differs") for outcome in outcomes))


def _tell(line: str | None) -> None:
    if line is not None:
        say(line)
