"""`orchestrate schema`: the JSON Schemas of the configuration files and of what is recorded."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions
from orchestrator.errors import UsageError


@click.command("schema", cls=CommandWithCommonOptions)
@click.argument("file", type=click.Choice(["project", "environment", "receipt", "entry", "evidence"]), required=False)
@click.option("--markdown", is_flag=True, help="The reference page of all keys instead.")
def schema(file: str | None, markdown: bool) -> None:
    """Print the JSON Schema of a configuration file, or of what is recorded.

    `project` is envs/orchestrate.yaml, `environment` any envs/<env>.yaml, `receipt` what is stored with each plan,
    `entry` one of the ledger, `evidence` record.json of an evidence bundle.
    """
    from orchestrator.report.setup import schema as report

    if markdown == (file is not None):
        raise UsageError(
            "say which, `project`, `environment`, `receipt`, `entry` or `evidence`, or --markdown for the page about "
            "the configuration"
        )
    click.echo(report.as_markdown() if file is None else report.as_json(file))
