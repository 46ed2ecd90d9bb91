"""`orchestrate lint`: terraform fmt and validate, and tflint."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.check_reports import CheckCommand, check_release, file_options
from orchestrator.cli.context import Context, pass_context


@click.command("lint", cls=CheckCommand)
@click.option("--tag", required=True, help="The release tag.")
@file_options
@pass_context
def lint(context: Context, /, tag: str, **files: Path | None) -> None:
    """Lint a release: terraform fmt and validate, and tflint."""
    from orchestrator.stages.checks.lint import lint as run

    check_release(context, tag, run, files)
