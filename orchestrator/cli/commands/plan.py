"""`orchestrate plan`: plans a release and stores the plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    pass_context,
    surroundings,
    tag_option,
    text_style,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.report.plan.head import ShownPlan

_CHANGES = 10
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("plan", cls=CommandWithCommonOptions)
@tag_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 10 where there are changes.")
@click.option("--full", is_flag=True, help="Show all of it, however much it is.")
@click.option("--html", metavar="FILE", type=_FILE, help="Also write the plan as an HTML page here.")
@click.option("--markdown", metavar="FILE", type=_FILE, help="Also write it as markdown, fit for a comment, here.")
@pass_context
def plan(context: Context, /, tag: str, *, detailed_exitcode: bool, full: bool, **files: Path | None) -> int:
    """Plan a release under the read-only role, and store plan and receipt."""
    from orchestrator.errors import OrchestrateError, StageFailed
    from orchestrator.report.plan.head import shown_receipt
    from orchestrator.report.plan.refused import error_fields, shown_refused
    from orchestrator.report.plan.text import plan_text
    from orchestrator.report.release import stages as report
    from orchestrator.stages.gates.context import GateContext
    from orchestrator.stages.gates.registry import ask
    from orchestrator.stages.release.plan import plan as run

    at = surroundings(context, tag)
    try:
        result = run(at)
    except StageFailed as error:
        refused = shown_refused(error)
        if refused is not None:
            _write(refused, files)
        raise
    shown = shown_receipt(result.receipt, result.view)
    _write(shown, files)
    fields, text = report.plan_fields(result), plan_text(shown, text_style(full=full))
    try:
        ask(GateContext.of(at, "planned", receipt=result.receipt))
    except OrchestrateError as error:
        answer(context, {**fields, **error_fields(error)}, text)
        raise
    answer(context, fields, text)
    return _CHANGES if detailed_exitcode and result.receipt.changes else 0


def _write(shown: ShownPlan, files: Mapping[str, Path | None]) -> None:
    from orchestrator.report.plan.html import plan_html
    from orchestrator.report.plan.markdown import plan_markdown

    for name, render in (("html", plan_html), ("markdown", plan_markdown)):
        path = files[name]
        if path is not None:
            path.write_text(render(shown), "utf-8")
