"""`orchestrate scan`: checkov and the checks in policies/."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.check_reports import CheckCommand, check_release, file_options
from orchestrator.cli.context import Context, pass_context


@click.command("scan", cls=CheckCommand)
@click.option("--tag", required=True, help="The release tag.")
@file_options
@pass_context
def scan(context: Context, /, tag: str, **files: Path | None) -> None:
    """Scan a release with checkov and the checks in policies/."""
    from orchestrator.stages.checks.scan import scan as run

    check_release(context, tag, run, files)
