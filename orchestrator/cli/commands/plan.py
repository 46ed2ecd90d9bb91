"""`orchestrate plan`: plans a release and stores the plan."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, surroundings, tag_option

_CHANGES = 10


@click.command("plan", cls=CommandWithCommonOptions)
@tag_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 10 where there are changes.")
@pass_context
def plan(context: Context, tag: str, detailed_exitcode: bool) -> int:
    """Plan a release under the read-only role, and store plan and receipt."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.gates.context import GateContext
    from orchestrator.stages.gates.registry import ask
    from orchestrator.stages.release.plan import plan as run

    at = surroundings(context, tag)
    result = run(at)
    answer(context, report.plan_fields(result), report.plan_text(result.receipt))
    ask(GateContext.of(at, "planned", receipt=result.receipt))
    return _CHANGES if detailed_exitcode and result.receipt.changes else 0
