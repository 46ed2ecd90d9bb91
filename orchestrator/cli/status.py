"""`orchestrate status` and `history`: which version runs where; what happened when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context
from orchestrator.cli.stages import answer

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _selection(function: _Function) -> _Function:
    for name, what in (("scope", "Region or `global`"), ("team", "team"), ("env", "environment")):
        function = click.option(f"--{name}", help=f"Only this {what}.")(function)
    return function


@click.command("status", cls=CommandWithCommonOptions)
@_selection
@pass_context
def status(context: Context, env: str | None, team: str | None, scope: str | None) -> None:
    """Show which version runs where."""
    from orchestrator.report import status as report
    from orchestrator.stages.status import Selection
    from orchestrator.stages.status import status as run

    found = run(load_rules_from_worktree(context), Selection(env, team, scope))
    answer(context, report.status_fields(found), report.status_text(found))


@click.command("history", cls=CommandWithCommonOptions)
@_selection
@pass_context
def history(context: Context, env: str | None, team: str | None, scope: str | None) -> None:
    """Show what happened when: checks, plans, approvals, applies."""
    from orchestrator.report import status as report
    from orchestrator.stages.status import Selection, histories

    found = histories(load_rules_from_worktree(context), Selection(env, team, scope))
    answer(context, report.history_fields(found), report.history_text(found))
