"""`orchestrate step`: one step of a release in AWS CodeBuild; build specifications call it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import Context, GroupOfCommands, answer, pass_context, say
from orchestrator.effects.system import outlet
from orchestrator.errors import StageFailed
from orchestrator.model.release.stages import STEPS, Stage, StageDefinition

if TYPE_CHECKING:
    from orchestrator.stages.pipeline.step import Step


@click.group("step", cls=GroupOfCommands)
def step() -> None:
    """One step of a release pipeline. For builds: what to do is read from their environment variables."""


def _opened() -> Step:
    from orchestrator.effects.system.host import environment
    from orchestrator.stages.pipeline.step import opened

    return opened(environment(), say, Path.cwd())


def _add(stage: StageDefinition) -> None:
    @step.command(stage.name, help=stage.does)
    @pass_context
    def run(context: Context) -> None:
        if stage.with_report:
            _check(context, stage.name)
        else:
            _run(context, stage.name)


for _stage in STEPS:
    _add(_stage)


def _check(context: Context, name: Stage) -> None:
    from orchestrator.report.checks import findings, junit
    from orchestrator.stages.pipeline.step import RUNS

    report = RUNS[name](_opened())
    Path(f"{name}.xml").write_text(outlet.rendered(junit.as_junit([report], [])), "utf-8")
    context.answered = True
    click.echo(findings.as_json([report], []) if context.json else findings.all_as_text([report], []))
    if not report.passed:
        raise StageFailed(f"{name} did not pass")


def _run(context: Context, name: Stage) -> None:
    from orchestrator.report.release.outcomes import REPORTS
    from orchestrator.stages.pipeline.step import RUNS

    result = RUNS[name](_opened())
    answer(context, REPORTS[name].fields(result), REPORTS[name].text(result))


@step.command("ended")
def ended() -> None:
    """Record a step that did not succeed; runs after every step."""
    from orchestrator.stages.pipeline.step import ended as run

    say("the step succeeded" if run(_opened()) else "the step did not succeed; this is recorded in the ledger")
