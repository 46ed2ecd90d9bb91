"""`orchestrate rollback`: returns a target to the commit of an earlier release."""

from __future__ import annotations

from typing import Any

import click

from orchestrator.cli.context import (
    CommandWithCommonOptions,
    Context,
    answer,
    confirm,
    deciding_rules,
    pass_context,
    review,
    say,
    text_style,
)
from orchestrator.cli.release_run import run_release


@click.command("rollback", cls=CommandWithCommonOptions)
@click.option("--env", required=True, help="The environment.")
@click.option("--team", required=True, help="The team.")
@click.option("--scope", required=True, help="`global` or a Region.")
@click.option("--to", metavar="VERSION", help="Where to go back to. Default: the newest version before that was good.")
@click.option("--preview", is_flag=True, help="Only show what it would change.")
@click.option("--full", is_flag=True, help="With --preview: show all of it, however much it is.")
@click.option("--sign", is_flag=True, help="Sign the tag; done anyway where the environment asks for it.")
@click.option("--push", is_flag=True, help="Push the tag and leave the release to the pipeline.")
@click.option("--remote", default="origin", show_default=True, help="Where to push it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def rollback(context: Context, /, *, preview: bool, yes: bool, full: bool, **options: Any) -> None:
    """Show what going back to an earlier release would change; then release its commit under a new version."""
    from orchestrator.effects.system.host import environment
    from orchestrator.report.plan.text import plan_text
    from orchestrator.report.release import rollback as report
    from orchestrator.stages.release import rollback as stage

    remote = options["remote"] if options["push"] else None
    asked = stage.RollbackOptions(**{name: options[name] for name in ("env", "team", "scope", "to")})
    repository = context.repository()
    rules_commit = deciding_rules(context, repository)
    if not preview:
        stage.check_push(repository, asked, rules_commit, remote)
    proposal = stage.propose(repository, asked, rules_commit, environment(), say)
    shown = report.shown_proposal(proposal)
    fields, tag = report.proposal_fields(proposal), str(proposal.ctx.release.tag)
    if preview:
        answer(context, fields, plan_text(shown, text_style(full=full)))
        return
    review(shown, paged=not yes)
    if not yes:
        confirm(f"Go back, as {tag}?")
    stage.make_tag(proposal, sign=options["sign"], remote=remote)
    fields |= {"tagged": True, "pushed": remote is not None}
    if remote is not None:
        answer(context, fields, f"{tag}: tagged and pushed to {remote}; its pipeline releases it")
        return
    run_release(context, tag, lambda released: answer(context, {**fields, "release": released}, f"{tag}: released"))
