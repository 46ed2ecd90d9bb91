"""`orchestrate plan`, `approve`, `apply`, `verify`, `unlock`: one stage each."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, confirm, pass_context, say
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.model.receipt import PlanReceipt
    from orchestrator.stages.approve import Answered
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
@click.option("--break-glass", is_flag=True, help="Act alone in an emergency: loud, recorded, and to be followed up.")
@click.option("--reason", default="", help="Why; recorded with the answer.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def approve(context: Context, /, tag: str, reason: str, **flags: bool) -> None:
    """Show the newest plan of a tag and approve it."""
    from orchestrator.report import stages as report
    from orchestrator.stages.approve import reviewed
    from orchestrator.stages.waiting import answer_waiting

    if flags["reject"] and (flags["override"] or flags["break_glass"]):
        raise UsageError("--reject contradicts --override and --break-glass")
    at = surroundings(context, tag)
    receipt = reviewed(at)
    say(report.plan_text(receipt))
    if not flags["yes"]:
        confirm(f"{_question(flags)} this plan?")
    given = _given(at, receipt, reason, flags)
    waits = answer_waiting(at, receipt, approved=not flags["reject"], reason=reason)
    while waits and flags["break_glass"]:
        waits = answer_waiting(at, receipt, approved=True, reason=reason)
    answer(context, report.answer_fields(given), report.answer_text(given))


def _question(flags: Mapping[str, bool]) -> str:
    if flags["reject"]:
        return "Reject"
    verb = "Break the glass for" if flags["break_glass"] else "Approve"
    return f"Override the protection and {verb[0].lower()}{verb[1:]}" if flags["override"] else verb


def _given(at: Surroundings, receipt: PlanReceipt, reason: str, flags: Mapping[str, bool]) -> Answered:
    from orchestrator.stages.approve import Reply, approve
    from orchestrator.stages.break_glass import break_glass

    if flags["break_glass"]:
        return break_glass(at, receipt, reason, flags["override"])
    if flags["override"]:
        approve(at, receipt, Reply("overridden", reason))
    return approve(at, receipt, Reply("rejected" if flags["reject"] else "approved", reason))


@click.command("follow-up", cls=CommandWithCommonOptions)
@tag_option
@click.option("--note", required=True, help="What was done, and what comes of it.")
@pass_context
def follow_up(context: Context, tag: str, note: str) -> None:
    """Say what came of a broken glass; `status` asks for it until then."""
    from orchestrator.report import stages as report
    from orchestrator.stages.follow_up import follow_up as run

    given = run(surroundings(context, tag), note)
    answer(context, report.follow_up_fields(given), report.follow_up_text(given))


@click.command("apply", cls=CommandWithCommonOptions)
@tag_option
@pass_context
def apply(context: Context, tag: str) -> None:
    """Apply the newest stored plan of a tag, exactly as it was stored."""
    from orchestrator.report import stages as report
    from orchestrator.stages.apply import apply as run

    result = run(surroundings(context, tag))
    answer(context, report.apply_fields(result), report.apply_text(result))


class _Seconds(click.FloatRange):
    """A range lets `nan` through: it is neither less than the least nor more than the most."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is not a number of seconds.", param, ctx) if math.isnan(number) else number


@click.command("verify", cls=CommandWithCommonOptions)
@tag_option
@click.option(
    "--timeout",
    type=_Seconds(0, 86400),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the right answer.",
)
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
