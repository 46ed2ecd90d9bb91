"""`orchestrate status`: which version runs where."""

from __future__ import annotations

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    load_rules_from_worktree,
    pass_context,
    selection_options,
)
from orchestrator.errors import DependencyError


@click.command("status", cls=CommandWithCommonOptions)
@selection_options
@pass_context
def status(context: Context, env: str | None, team: str | None, scope: str | None) -> None:
    """Show which version runs where.

    An environment that is not bootstrapped is named as such; the exit code is 6 only where none of those asked for is
    bootstrapped, or one cannot be read.
    """
    from orchestrator.report.history import status as report
    from orchestrator.stages.context.selection import Selection
    from orchestrator.stages.history.status import status as run

    found = run(load_rules_from_worktree(context), Selection(env, team, scope))
    answer(context, report.status_fields(found), report.status_text(found))
    if found.failed:
        raise DependencyError("\n".join(str(error) for error in found.failed))
