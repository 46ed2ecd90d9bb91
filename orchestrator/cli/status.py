"""`orchestrate status`: which version runs where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context
from orchestrator.cli.stages import answer
from orchestrator.errors import SurroundingsFailed

_Function = TypeVar("_Function", bound=Callable[..., Any])


def selection_options(function: _Function) -> _Function:
    """Adds --env, --team and --scope."""
    for name, what in (("scope", "Region or `global`"), ("team", "team"), ("env", "environment")):
        function = click.option(f"--{name}", help=f"Only this {what}.")(function)
    return function


@click.command("status", cls=CommandWithCommonOptions)
@selection_options
@pass_context
def status(context: Context, env: str | None, team: str | None, scope: str | None) -> None:
    """Show which version runs where.

    An environment that is not bootstrapped is named as such; the exit code is 6 only where none of those asked for is
    bootstrapped, or one cannot be read.
    """
    from orchestrator.report import status as report
    from orchestrator.stages.selection import Selection
    from orchestrator.stages.status import status as run

    found = run(load_rules_from_worktree(context), Selection(env, team, scope))
    answer(context, report.status_fields(found), report.status_text(found))
    if found.failed:
        raise SurroundingsFailed("\n".join(str(error) for error in found.failed))
