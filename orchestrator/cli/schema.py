"""`orchestrate schema`: the JSON Schemas of the configuration files and of the plan receipt."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions
from orchestrator.errors import UsageError


@click.command("schema", cls=CommandWithCommonOptions)
@click.argument("file", type=click.Choice(["project", "environment", "receipt"]), required=False)
@click.option("--markdown", is_flag=True, help="The reference page of all keys instead.")
def schema(file: str | None, markdown: bool) -> None:
    """Print the JSON Schema of a configuration file, or of the plan receipt.

    `project` is envs/orchestrate.yaml, `environment` any envs/<env>.yaml, `receipt` what is stored with each plan.
    """
    from orchestrator.report import schema as report

    if markdown == (file is not None):
        raise UsageError(
            "say which, `project`, `environment` or `receipt`, or --markdown for the page about the configuration"
        )
    click.echo(report.as_markdown() if file is None else report.as_json(file))
