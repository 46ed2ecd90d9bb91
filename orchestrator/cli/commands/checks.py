"""`orchestrate lint`, `scan` and `test`: a command for each check, of a release."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.check_reports import CheckCommand, file_options, show_reports
from orchestrator.cli.context import Context, pass_context, surroundings
from orchestrator.errors import StageFailed
from orchestrator.model.rules.check_names import CHECKS, DOES, Check


def _command(name: Check) -> click.Command:
    @click.command(name, cls=CheckCommand, help=DOES[name])
    @click.option("--tag", required=True, help="The release tag.")
    @file_options
    @pass_context
    def command(context: Context, /, tag: str, **files: Path | None) -> None:
        _check(context, name, tag, files)

    return command


checks = {name: _command(name) for name in CHECKS}


def _check(context: Context, name: Check, tag: str, files: dict[str, Path | None]) -> None:
    """Runs one check of a release, reports it, and records how it ended."""
    from orchestrator.stages.checks.table import check_release
    from orchestrator.stages.record.record_check import record_check

    ctx = surroundings(context, tag)
    report = check_release(name, ctx.release, ctx.repository, ctx.progress)
    show_reports(context, [report], [], files)
    record_check(ctx, report)
    if not report.passed:
        raise StageFailed(f"{name} did not pass for {tag}")
