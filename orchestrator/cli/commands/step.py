"""`orchestrate step`: one step of a release in AWS CodeBuild; build specifications call it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, GroupOfCommands, answer, pass_context, say
from orchestrator.errors import StageFailed
from orchestrator.model.rules.check_names import CHECKS, Check

if TYPE_CHECKING:
    from orchestrator.stages.pipeline.step import Step


@click.group("step", cls=GroupOfCommands)
def step() -> None:
    """One step of a release pipeline. For builds: what to do is read from their environment variables."""


def _opened() -> Step:
    from orchestrator.effects.system.host import environment
    from orchestrator.stages.pipeline.step import opened

    return opened(environment(), say, Path.cwd())


def _check_command(name: Check) -> click.Command:
    @step.command(name, help=f"Run the check {name} of the tagged commit; hands on {name}.json and {name}.xml.")
    @pass_context
    def command(context: Context) -> None:
        _check(context, name)

    return command


for _name in CHECKS:
    _check_command(_name)


def _check(context: Context, name: Check) -> None:
    from orchestrator.report.checks import findings, junit
    from orchestrator.stages.pipeline.step import check

    report = check(_opened(), name)
    Path(f"{name}.xml").write_text(junit.as_junit([report], []), "utf-8")
    context.answered = True
    click.echo(findings.as_json([report], []) if context.json else findings.all_as_text([report], []))
    if not report.passed:
        raise StageFailed(f"{name} did not pass")


@step.command("plan")
@pass_context
def plan(context: Context) -> None:
    """Plan; hands on plan.env, which steers the rest of the execution."""
    from orchestrator.report.plan.head import shown_receipt
    from orchestrator.report.plan.text import plan_text
    from orchestrator.report.release import stages as report
    from orchestrator.stages.pipeline.step import plan_it

    result = plan_it(_opened())
    answer(context, report.plan_fields(result), plan_text(shown_receipt(result.receipt, result.view)))


@step.command("apply")
@pass_context
def apply(context: Context) -> None:
    """Apply exactly the plan of the execution's digest."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.pipeline.step import apply_it

    result = apply_it(_opened())
    answer(context, report.apply_fields(result), report.apply_text(result))


@step.command("verify")
@pass_context
def verify(context: Context) -> None:
    """Ask the released address until it answers as it should."""
    from orchestrator.report.release import stages as report
    from orchestrator.stages.pipeline.step import verify_it

    result = verify_it(_opened())
    answer(context, report.verify_fields(result), report.verify_text(result))


@step.command("ended")
def ended() -> None:
    """Record a step that did not succeed; runs after every step."""
    from orchestrator.stages.pipeline.step import ended as run

    say("the step succeeded" if run(_opened()) else "the step did not succeed; this is recorded in the ledger")
