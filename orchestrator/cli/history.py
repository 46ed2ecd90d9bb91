"""`orchestrate history`: what happened when, whether the record of it is intact, and all of it as a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, load_rules_from_worktree, pass_context, say
from orchestrator.cli.stages import answer
from orchestrator.cli.status import selection_options
from orchestrator.errors import Refused

if TYPE_CHECKING:
    from orchestrator.model.evidence import Record
    from orchestrator.stages.audit import Audit
    from orchestrator.stages.selection import Selection


@click.command("history", cls=CommandWithCommonOptions)
@selection_options
@click.option("--tag", help="Only this release tag.")
@click.option("--since", metavar="WHEN", help="Only from then on: 2026-11-21, an ISO 8601 time, 12h, 30d.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most so many, the newest.")
@click.option("--verify", is_flag=True, help="Show what of the record was altered, removed or cut off (exit code 4).")
@click.option("--skip-plans", is_flag=True, help="With --verify: do not read the stored plans, which hold secrets.")
@pass_context
def history(context: Context, /, env: str | None, team: str | None, scope: str | None, **asked: Any) -> None:
    """Show what happened when: checks, plans, answers, refusals, applies, failures, recoveries."""
    from orchestrator.stages.selection import Selection

    selection = Selection(env, team, scope)
    if asked["verify"]:
        _verify(context, selection, asked)
    else:
        _show(context, selection, asked)


def _show(context: Context, selection: Selection, asked: dict[str, Any]) -> None:
    from orchestrator.report import history as report
    from orchestrator.stages.history import Wanted
    from orchestrator.stages.history import history as run

    wanted = Wanted.of(asked["tag"], asked["since"], asked["limit"])
    found = run(load_rules_from_worktree(context), selection, wanted)
    answer(context, report.fields(found), report.text(found))
    if found.more:
        say(f"Older ones are left out: --limit {wanted.limit}.")


def _verify(context: Context, selection: Selection, asked: dict[str, Any]) -> None:
    from orchestrator.stages.audit import audit

    _conclude(context, audit(_records(context, selection, plans=not asked["skip_plans"])))


def _records(context: Context, selection: Selection, *, plans: bool) -> tuple[Record, ...]:
    from orchestrator.stages.collect import collect

    return collect(load_rules_from_worktree(context), selection, context.repository(), plans=plans)


def _conclude(context: Context, found: Audit) -> None:
    from orchestrator.report import audit as report

    answer(context, report.fields(found), report.text(found))
    if found.flaws:
        raise Refused(
            "the record is not as it was written",
            hint="docs/history.md says what each finding means and how to go on.",
        )
