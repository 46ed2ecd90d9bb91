"""`orchestrate submit`: starts the pipeline of a tag."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions


@click.command("submit", cls=CommandWithCommonOptions)
def submit() -> None:
    """Verify a pushed tag and start its pipeline on AWS."""
    raise click.UsageError("not there yet")
