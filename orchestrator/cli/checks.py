"""`orchestrate lint`, `scan` and `check`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context, say
from orchestrator.errors import StageFailed, UsageError

if TYPE_CHECKING:
    from orchestrator.model.check import CheckReport, Failure

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _CheckCommand(CommandWithCommonOptions):
    """--format knows the forms that other tools read."""

    formats = ("text", "json", "junit", "sarif", "markdown")


def _file_options(function: _Function) -> _Function:
    for name in ("markdown", "sarif", "junit"):
        option = click.option(
            f"--{name}",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help=f"Also write {name} here.",
        )
        function = option(function)
    return function


@click.command("lint", cls=_CheckCommand)
@click.option("--tag", required=True, help="The release tag.")
@_file_options
@pass_context
def lint(context: Context, /, tag: str, **files: Path | None) -> None:
    """Lint a release: terraform fmt and validate, and tflint."""
    from orchestrator.stages.lint import lint as run

    _stage(context, tag, run, files)


@click.command("scan", cls=_CheckCommand)
@click.option("--tag", required=True, help="The release tag.")
@_file_options
@pass_context
def scan(context: Context, /, tag: str, **files: Path | None) -> None:
    """Scan a release with checkov and the checks in policies/."""
    from orchestrator.stages.scan import scan as run

    _stage(context, tag, run, files)


def _stage(context: Context, tag: str, run: Callable[..., CheckReport], files: dict[str, Path | None]) -> None:
    """Runs one check of a release, reports it, and records how it ended."""
    from orchestrator.cli.stages import surroundings
    from orchestrator.stages.record_check import record_check

    at = surroundings(context, tag)
    report = run(at.release, at.repository, at.progress)
    _show(context, [report], [], files)
    record_check(at, report)
    if not report.passed:
        raise StageFailed(f"{report.check} did not pass for {tag}")


@click.command("check", cls=_CheckCommand)
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tag", help="Check what a tag of this name would release; it need not exist yet.")
@click.option("--all", "everything", is_flag=True, help="Check the roots of all targets, or all roots there are.")
@click.option("--write-baseline", is_flag=True, help="Write all that fails now to a file, as known from here on.")
@_file_options
@pass_context
def check(
    context: Context,
    /,
    path: Path | None,
    tag: str | None,
    everything: bool,
    write_baseline: bool,
    **files: Path | None,
) -> None:
    """Lint and scan the working tree: the root in PATH, or the roots below it. Works in any repository.

    Without PATH, the current folder; in a project's own folder, the roots of all its targets. Nothing is uploaded or
    recorded, and no AWS account is needed.
    """
    from orchestrator.effects.surroundings import environment
    from orchestrator.stages.check import Worktree
    from orchestrator.stages.check import check as run
    from orchestrator.stages.subject import Checking

    if sum([path is not None, tag is not None, everything]) > 1:
        raise UsageError("PATH, --tag and --all exclude one another")
    tree = Worktree.around(path or context.start)
    subjects = tree.of_tag(tag) if tag else tree.everything() if everything else tree.here()
    reports, failures = run(subjects, Checking.here(environment(), say))
    _show(context, reports, failures, files)
    if failures:
        raise failures[0].error
    if write_baseline:
        say(f"Written: {tree.write_baseline(reports)}")
    elif not all(report.passed for report in reports):
        raise StageFailed(_failed(reports))


def _failed(reports: Sequence[CheckReport]) -> str:
    names = dict.fromkeys(f"{report.check} of {report.root or '.'}" for report in reports if not report.passed)
    return f"not passed: {', '.join(names)}"


def _show(
    context: Context,
    reports: Sequence[CheckReport],
    failures: Sequence[Failure],
    files: dict[str, Path | None],
) -> None:
    for name, path in files.items():
        if path is not None:
            path.write_text(_rendered(name, reports, failures), "utf-8")
    click.echo(_rendered(context.format, reports, failures))


def _rendered(form: str, reports: Sequence[CheckReport], failures: Sequence[Failure]) -> str:
    module = importlib.import_module(f"orchestrator.report.{'findings' if form in ('text', 'json') else form}")
    render = getattr(module, "all_as_text" if form == "text" else f"as_{form}")
    return str(render(reports, failures))
