"""`orchestrate adopt`: brings an existing state under this layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    confirm,
    deciding_rules,
    pass_context,
    say,
    surroundings,
)
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.stages.context.context import ReleaseContext


@click.command("adopt", cls=CommandWithCommonOptions)
@click.option("--env", required=True, help="The environment.")
@click.option("--team", required=True, help="The team.")
@click.option("--scope", required=True, help="`global` or a Region.")
@click.option("--from", "source", required=True, metavar="STATE", help="The path of a state file, or s3://BUCKET/KEY.")
@click.option("--commit", metavar="REF", help="The code that goes with it. Default: the protected branch.")
@click.option("--tag", metavar="TAG", help="A release tag of the target, instead of --commit.")
@click.option("--check", is_flag=True, help="Only show what would happen.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def adopt(context: Context, /, *, source: str, check: bool, yes: bool, **release: Any) -> None:
    """Copy an existing state to the target's place, after a plan against it; touches no resource."""
    from orchestrator.report.setup import adopt as report
    from orchestrator.stages.stores import adopt as stage

    at = _surroundings(context, **release)
    candidate = stage.examine(at, source)
    fields, text = report.candidate_fields(at, candidate), report.candidate_text(at, candidate)
    if check:
        answer(context, fields, text)
        return
    say(text)
    if candidate.preview is not None and not yes:
        confirm("Adopt this state?")
    done = stage.adopt(at, candidate)
    answer(context, {**fields, "result": done.result}, report.adopted_text(at, candidate, done))


def _surroundings(
    context: Context, env: str, team: str, scope: str, *, commit: str | None, tag: str | None
) -> ReleaseContext:
    from orchestrator.effects.system.host import environment
    from orchestrator.model.rules.tag import Tag
    from orchestrator.stages.context.context import ReleaseContext
    from orchestrator.stages.tags.resolve import as_if_tagged

    target = Tag.parse(f"{env}_{scope}/{team}/0.0")
    if tag is not None:
        if commit is not None:
            raise UsageError("--commit and --tag name the code twice")
        if not tag.startswith(f"{env}_{scope}/{team}/"):
            raise UsageError(f"{tag} is not a tag of {env}, {scope}, {team}")
        return surroundings(context, tag)
    repository = context.repository()
    rules_commit = deciding_rules(context, repository)
    return ReleaseContext(
        as_if_tagged(repository, target, commit or rules_commit, rules_commit), repository, environment(), say
    )
