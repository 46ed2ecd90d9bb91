"""`orchestrate tooling`: the pipelines in the tooling account."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions


@click.command("tooling", cls=CommandWithCommonOptions)
def tooling() -> None:
    """Plan or apply the tooling account."""
    raise click.UsageError("not there yet")
