"""What the checks' commands and `check` share: their options, and reports in all formats."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context
from orchestrator.effects.system import outlet

if TYPE_CHECKING:
    from orchestrator.model.checks.check import CheckReport, Failure

_Function = TypeVar("_Function", bound=Callable[..., Any])


class CheckCommand(CommandWithCommonOptions):
    """--format knows the forms that other tools read."""

    formats = ("text", "json", "junit", "sarif", "markdown")


def file_options(function: _Function) -> _Function:
    for name in ("markdown", "sarif", "junit"):
        option = click.option(
            f"--{name}",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help=f"Also write {name} here.",
        )
        function = option(function)
    return function


def show_reports(
    context: Context,
    reports: Sequence[CheckReport],
    failures: Sequence[Failure],
    files: dict[str, Path | None],
) -> None:
    for name, path in files.items():
        if path is not None:
            path.write_text(outlet.rendered(_rendered(name, reports, failures)), "utf-8")
    context.answered = True
    click.echo(_rendered(context.format, reports, failures))


def _rendered(form: str, reports: Sequence[CheckReport], failures: Sequence[Failure]) -> str:
    module = importlib.import_module(f"orchestrator.report.checks.{'findings' if form in ('text', 'json') else form}")
    render = getattr(module, "all_as_text" if form == "text" else f"as_{form}")
    return str(render(reports, failures))
