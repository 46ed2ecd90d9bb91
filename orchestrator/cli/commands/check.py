"""`orchestrate check`: lint and scan of a working tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.check_reports import CheckCommand, file_options, show_reports
from orchestrator.cli.context import Context, pass_context, say
from orchestrator.errors import StageFailed, UsageError

if TYPE_CHECKING:
    from orchestrator.model.checks.check import CheckReport


@click.command("check", cls=CheckCommand)
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--tag", help="Check what a tag of this name would release; it need not exist yet.")
@click.option("--all", "everything", is_flag=True, help="Check the roots of all targets, or all roots there are.")
@click.option("--write-baseline", is_flag=True, help="Write all that fails now to a file, as known from here on.")
@click.option("--policies", is_flag=True, help="Also run the repository's own programs: policies/ and its tests.")
@click.option("--provider", "providers", multiple=True, metavar="ADDRESS",
              help="Let a provider run that is not HashiCorp's, such as datadog/datadog; repeatable.")  # fmt: skip
@file_options
@pass_context
def check(
    context: Context,
    /,
    path: Path | None,
    tag: str | None,
    everything: bool,
    write_baseline: bool,
    policies: bool,
    providers: tuple[str, ...],
    **files: Path | None,
) -> None:
    """Lint and scan the working tree: the root in PATH, or the roots below it. Works in any repository.

    Without PATH, the current folder; in a project's own folder, the roots of all its targets. Nothing is uploaded or
    recorded, and no AWS account is needed. No program of the repository is run, nor a provider that is not HashiCorp's,
    unless an option asks for it.
    """
    from dataclasses import replace

    from orchestrator.effects.system.host import environment
    from orchestrator.model.terraform.checked_providers import CheckedProviders
    from orchestrator.stages.checks.check import Worktree
    from orchestrator.stages.checks.check import check as run
    from orchestrator.stages.checks.subject import CheckContext

    if sum([path is not None, tag is not None, everything]) > 1:
        raise UsageError("PATH, --tag and --all exclude one another")
    tree = Worktree.around(path or context.start)
    found = tree.of_tag(tag) if tag else tree.everything() if everything else tree.here()
    allowed = CheckedProviders().also(providers)
    subjects = [replace(subject, policies=policies, providers=allowed) for subject in found]
    reports, failures = run(subjects, CheckContext.here(environment(), say))
    show_reports(context, reports, failures, files)
    if failures:
        raise failures[0].error
    if write_baseline:
        say(f"Written: {tree.write_baseline(reports)}")
    elif not all(report.passed for report in reports):
        raise StageFailed(_failed(reports))


def _failed(reports: Sequence[CheckReport]) -> str:
    names = dict.fromkeys(f"{report.check} of {report.root or '.'}" for report in reports if not report.passed)
    return f"not passed: {', '.join(names)}"
