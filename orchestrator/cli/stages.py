"""`orchestrate plan`, `approve`, `apply`, `verify`, `unlock`: one stage each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, pass_context, say
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.stages.surroundings import Surroundings

_CHANGES = 10

tag_option = click.option("--tag", required=True, help="The release tag.")


def surroundings(context: Context, tag: str) -> Surroundings:
    """The resolved release with all that its stages work with."""
    from orchestrator.effects.surroundings import environment
    from orchestrator.stages import refusals
    from orchestrator.stages.resolve import resolve
    from orchestrator.stages.surroundings import Surroundings

    repository = context.repository()
    with refusals.of_tag(repository, tag, context.rules_ref, say):
        release = resolve(repository, tag, context.rules_ref)
    return Surroundings(release, repository, environment(), say)


def answer(context: Context, fields: dict[str, Any], text: str) -> None:
    """A result to stdout, in the format asked for."""
    click.echo(json.dumps(fields, indent=2) if context.json else text)


@click.command("plan", cls=CommandWithCommonOptions)
@tag_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 10 where there are changes.")
@pass_context
def plan(context: Context, tag: str, detailed_exitcode: bool) -> int:
    """Plan a release under the read-only role, and store plan and receipt."""
    from orchestrator.report import stages as report
    from orchestrator.stages.approvals import check_protected
    from orchestrator.stages.plan import plan as run

    at = surroundings(context, tag)
    result = run(at)
    answer(context, report.plan_fields(result), report.plan_text(result.receipt))
    check_protected(result.receipt)
    return _CHANGES if detailed_exitcode and result.receipt.changes else 0


@click.command("approve", cls=CommandWithCommonOptions)
@tag_option
@click.option("--reject", is_flag=True, help="Reject the plan: it can no longer be applied.")
@click.option("--override", is_flag=True, help="Set aside the protection of what this plan destroys or replaces.")
@click.option("--reason", default="", help="Why; recorded with the answer.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def approve(context: Context, /, tag: str, reason: str, **flags: bool) -> None:
    """Show the newest plan of a tag and approve it."""
    from orchestrator.report import stages as report
    from orchestrator.stages.approve import Reply, reviewed
    from orchestrator.stages.approve import approve as run
    from orchestrator.stages.waiting import answer_waiting

    if flags["reject"] and flags["override"]:
        raise UsageError("--reject and --override contradict each other")
    at = surroundings(context, tag)
    receipt = reviewed(at)
    say(report.plan_text(receipt))
    if not flags["yes"]:
        question = "Override the protection and approve" if flags["override"] else "Approve"
        click.confirm(f"{'Reject' if flags['reject'] else question} this plan?", abort=True, err=True)
    if flags["override"]:
        run(at, receipt, Reply("overridden", reason))
    given = run(at, receipt, Reply("rejected" if flags["reject"] else "approved", reason))
    answer_waiting(at, receipt, approved=not flags["reject"], reason=reason)
    answer(context, report.answer_fields(given), report.answer_text(given))


@click.command("apply", cls=CommandWithCommonOptions)
@tag_option
@pass_context
def apply(context: Context, tag: str) -> None:
    """Apply the newest stored plan of a tag, exactly as it was stored."""
    from orchestrator.report import stages as report
    from orchestrator.stages.apply import apply as run

    result = run(surroundings(context, tag))
    answer(context, report.apply_fields(result), report.apply_text(result))


@click.command("verify", cls=CommandWithCommonOptions)
@tag_option
@click.option("--timeout", default=300.0, show_default=True, help="Seconds to wait for the right answer.")
@pass_context
def verify(context: Context, tag: str, timeout: float) -> None:
    """Ask the released address until it answers as it should."""
    from orchestrator.report import stages as report
    from orchestrator.stages.verify import verify as run

    result = run(surroundings(context, tag), timeout)
    answer(context, report.verify_fields(result), report.verify_text(result))


@click.command("unlock", cls=CommandWithCommonOptions)
@tag_option
@click.option("--lock-id", required=True, help="The lock's id, as the refused run told it.")
@pass_context
def unlock(context: Context, tag: str, lock_id: str) -> None:
    """Release a state lock that a killed run left behind."""
    from orchestrator.stages.unlock import unlock as run

    at = surroundings(context, tag)
    run(at, lock_id)
    backend = at.release.target.backend
    fields = {"tag": tag, "lock_id": lock_id, "result": "unlocked"}
    answer(context, fields, f"the lock {lock_id} of s3://{backend.bucket}/{backend.key} is released")
