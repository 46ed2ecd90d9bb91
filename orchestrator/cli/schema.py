"""`orchestrate schema`: the JSON Schemas of the configuration files."""

from __future__ import annotations

import click

from orchestrator.cli.context import CommandWithCommonOptions
from orchestrator.errors import UsageError


@click.command("schema", cls=CommandWithCommonOptions)
@click.argument("file", type=click.Choice(["project", "environment"]), required=False)
@click.option("--markdown", is_flag=True, help="The reference page of all keys instead.")
def schema(file: str | None, markdown: bool) -> None:
    """Print the JSON Schema of a configuration file.

    `project` is envs/orchestrate.yaml, `environment` any envs/<env>.yaml.
    """
    from orchestrator.report import schema as report

    if markdown == (file is not None):
        raise UsageError("say which file, `project` or `environment`, or --markdown for the page about both")
    click.echo(report.as_markdown() if file is None else report.as_json(file))
