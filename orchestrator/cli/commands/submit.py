"""`orchestrate submit`: starts the pipeline of a pushed tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context import CommandWithCommonOptions, Context, answer, pass_context, say
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.stages.pipeline.submit import Origin

_FAILED, _MOVED = "executionFailed", "referenceUpdated"
_TAGS = "refs/tags/"


@click.command("submit", cls=CommandWithCommonOptions)
@click.option("--tag", help="The release tag; inside the tooling, the one of the event.")
@click.option("--attempt", default="", help="Any word: starts another execution of a tag that has had one.")
@pass_context
def submit(context: Context, tag: str | None, attempt: str) -> None:
    """Verify a pushed tag and start its pipeline on AWS.

    Works on a fresh clone of the remote `origin`. A tag that was submitted before is not started again but with
    --attempt. What is refused is recorded in the ledger.
    """
    from orchestrator.effects.system.host import environment
    from orchestrator.report.release import submit as report
    from orchestrator.stages.pipeline.submit import Submission, record_failed
    from orchestrator.stages.pipeline.submit import submit as run

    env = environment()
    origin = _origin(context, env)
    if env.get("EVENT") == _FAILED and tag is None:
        say(record_failed(origin, env.get("EXECUTION_ID", "")))
        return
    name = tag or env.get("TAG") or env.get("CODEBUILD_WEBHOOK_HEAD_REF", "").removeprefix(_TAGS)
    if not name:
        raise UsageError("which tag? Name it with --tag.")
    moved, rounds = tag is None and env.get("EVENT") == _MOVED, env.get("ROUNDS", "")
    request = Submission(name, attempt or env.get("ATTEMPT", ""), moved, int(rounds) if rounds.isdecimal() else 0)
    done = run(origin, request, env, say)
    answer(context, report.fields(done), report.text(done))


def _origin(context: Context, env: Mapping[str, str]) -> Origin:
    from orchestrator.effects.pipeline.source_archive import origin_of
    from orchestrator.stages.pipeline.submit import Origin

    if context.rules_ref is not None:
        raise UsageError("--rules-ref is for looking only: a release's rules come from the remote's protected branch")
    url = origin_of(context.repository().folder)
    inside = env.get("ORCHESTRATE_ENV")
    rules_ref = (env.get("ORCHESTRATE_RULES_REF") or None) if inside else None
    return Origin(url, rules_ref, inside, env.get("AWS_REGION") if inside else None)
