"""`orchestrate release`: all stages in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, deciding_rules, pass_context, say
from orchestrator.cli.release_run import run_release
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.effects.git.repository import Repository
    from orchestrator.stages.fleet.fleet import Chosen, Executor


@click.command("release", cls=CommandWithCommonOptions)
@click.option(
    "--tag", "tags", metavar="TAG", multiple=True, required=True, help="A tag, or a pattern: 'dev_*/web/1.0'."
)
@click.option("--on", "where", type=click.Choice(["here", "aws"]), default="here", help="Here, or in the pipelines.")
@click.option("--parallel", type=click.IntRange(min=1), metavar="N", help="How many releases run at the same time.")
@click.option("--wait", is_flag=True, help="On AWS: also wait for the answers to approvals.")
@click.option("--again", is_flag=True, help="On AWS: start those anew whose last execution did not succeed.")
@pass_context
def release(context: Context, tags: tuple[str, ...], where: str, parallel: int | None, wait: bool, again: bool) -> int:
    """Release tags: lint, scan, plan, approve, apply, verify; exit 7 where it stops for an approval.

    --tag may be repeated, and may be a shell's pattern; several releases run side by side, in the waves of their
    environment, and end with a table. With --on aws the pipelines of the tooling account do it, and this command
    follows them; Ctrl-C leaves them running, and the same command follows them again.
    """
    from orchestrator.model.release.fleet import is_pattern

    if where == "here" and (wait or again):
        raise UsageError("--wait and --again are for releases on AWS: add --on aws")
    if where == "here" and len(tags) == 1 and not is_pattern(tags[0]):
        run_release(context, tags[0], lambda fields: answer(context, fields, f"{tags[0]}: released"))
        return 0
    return _run_many(context, tags, ReleaseOptions(where, parallel, wait, again))


@dataclass(frozen=True)
class ReleaseOptions:
    """How many releases are to be run."""

    where: str
    parallel: int | None
    wait: bool
    again: bool


def _run_many(context: Context, tags: tuple[str, ...], wanted: ReleaseOptions) -> int:
    from orchestrator.report.release import fleet as report
    from orchestrator.stages.fleet.fleet import RunOptions, choose, follow

    repository = context.repository()
    chosen = choose(repository, tags, deciding_rules(context, repository), say)
    executor, parallel = _lane(context, repository, chosen, wanted)
    outcome = follow(chosen.runs, executor, RunOptions(parallel, wanted.wait), say)
    if outcome.interrupted and wanted.where == "aws":
        say("interrupted; the executions go on, and the same command follows them again")
    answer(context, report.fields(outcome, wanted.where), report.text(outcome))
    return outcome.code


def _lane(context: Context, repository: Repository, chosen: Chosen, wanted: ReleaseOptions) -> tuple[Executor, int]:
    from orchestrator.effects.system.host import environment, processors

    if wanted.where == "aws":
        from orchestrator.stages.fleet.aws import PARALLEL, OnAws

        return OnAws(chosen.releases, wanted.again, wanted.parallel or PARALLEL), wanted.parallel or PARALLEL
    from orchestrator.stages.fleet.here import Here

    parallel = wanted.parallel or processors()
    options = ("--repo", str(repository.folder))
    return Here(context.start, chosen.project, options, environment(), parallel), parallel
