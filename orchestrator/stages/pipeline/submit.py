"""From a pushed tag to a running execution of its pipeline; what is refused is recorded.

Everything is done on a fresh bare clone of the remote: neither a working tree nor what a build fetched counts.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.aws.events import Events
from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.pipeline import source_archive
from orchestrator.effects.pipeline.pipelines import NoRoom, Pipelines, Start
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError, Refused
from orchestrator.model.ledger.ledger import Draft
from orchestrator.model.release.release import Release
from orchestrator.model.rules import tooling
from orchestrator.model.text.canonical import sha256
from orchestrator.model.text.progress import Progress
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.record.writer import LedgerWriter, ledger_writer
from orchestrator.stages.tags.resolve import resolve

# How often submit is asked for anew where AWS has no room for the execution, about an hour in all; and the longest
# pause before that, in seconds: it holds up one of the account's builds.
_ROUNDS, _LONGEST_PAUSE = 60, 15.0


@dataclass(frozen=True)
class Submission:
    """A tag to submit. `attempt` is empty but where a person wants another execution of the same tag.

    `rounds` tells how often AWS has had no room for the execution.
    """

    tag: str
    attempt: str = ""
    moved: bool = False
    rounds: int = 0


@dataclass(frozen=True)
class Submitted:
    """A running execution; None where there was no room for it, and submit has been asked for anew."""

    release: Release
    pipeline: str
    execution: str | None
    source: str


@dataclass(frozen=True)
class Origin:
    """Where tags come from: the remote and the ref of the rules; inside the tooling also its environment and Region."""

    url: str
    rules_ref: str | None
    env: str | None = None
    region: str | None = None


def submit(origin: Origin, request: Submission, env: Mapping[str, str], tell: Progress) -> Submitted:
    """Raises what resolving raises, and Refused for a tag that was moved or is of another environment."""
    with tempfile.TemporaryDirectory() as folder:
        clone = source_archive.clone(origin.url, Path(folder))
        repository = Repository.open(clone)
        try:
            _check_environment(origin, request)
            release = resolve(repository, request.tag, origin.rules_ref)
            ctx = ReleaseContext(release, repository, env, tell)
            return _start(ctx, request, clone)
        except (InvalidInput, Refused) as error:
            _record_refusal(_books(repository, origin, request), request.tag, error)
            raise
        except DependencyError as error:
            _record_failure(repository, origin, request, error)
            raise


def _check_environment(origin: Origin, request: Submission) -> None:
    if request.moved:
        raise Refused(
            f"the tag {quoted(request.tag)} was moved after it had been pushed",
            hint="A tag is released as it was first seen, or not at all: make a new version.",
        )
    if origin.env is not None and not request.tag.startswith(f"{origin.env}_"):
        raise Refused(f"the tag {quoted(request.tag)} does not belong to environment {origin.env}")


def _start(ctx: ReleaseContext, request: Submission, clone: Path) -> Submitted:
    by, release = ctx.identify(), ctx.release
    ctx.pin()
    pipeline = tooling.pipeline(release.rules, release.tag.env, release.target.stores.region)
    key = f"sources/{release.tag}/{release.tag_object}-{release.commit}.zip"
    version = _stored(ctx, key, clone)
    variables = {"TAG": str(release.tag), "COMMIT": release.commit}
    start = Start(key, version, variables, token(key, version, request.attempt))
    source = f"s3://{ctx.releases.name}/{key}"
    try:
        execution = Pipelines(ctx.aws, pipeline.region, pipeline.env).start(pipeline.name, start)
    except NoRoom as full:
        _ask_again(ctx, pipeline, request, full)
        return Submitted(release, pipeline.name, None, source)
    ctx.progress(f"execution {execution} of {pipeline.name} releases {release.tag}")
    detail = {"execution": execution, "source": key, "version": version, "attempt": request.attempt}
    draft = Draft("submitted", str(release.tag), release.commit, by, None, detail)
    ctx.chain.append(lambda _: draft)
    return Submitted(release, pipeline.name, execution, source)


def _ask_again(ctx: ReleaseContext, pipeline: tooling.EnvironmentPipeline, request: Submission, full: NoRoom) -> None:
    """By the event that a person would send: another build of submit comes after those that make room.

    A build that waited here instead would take the place of one that an execution needs to end: with as many of them as
    the account may have builds, nothing would go on any more.
    """
    if request.rounds >= _ROUNDS:
        raise NoRoom(f"{full.message}, and has after {_ROUNDS} further tries", hint=full.hint)
    time.sleep(min(_LONGEST_PAUSE, 2**request.rounds) * random.uniform(0.5, 1.0))  # noqa: S311 - only so that not all of them come back at once
    detail = tooling.asked(request.tag, request.attempt, request.rounds + 1)
    Events(ctx.aws, pipeline.region, pipeline.env).put(pipeline.asked_source, tooling.ASKED, detail)
    ctx.progress(f"{full.message}: {request.tag} is submitted again ({request.rounds + 1} of {_ROUNDS})")


def token(key: str, version: str, attempt: str) -> str:
    """Events may come twice: the same tag and object make the same execution (64 of the characters AWS allows)."""
    return sha256("\n".join((key, version, attempt)).encode())


def _stored(ctx: ReleaseContext, key: str, clone: Path) -> str:
    """The version of the source object, which is written once for a tag and commit."""
    archive = clone.parent / "source.zip"
    source_archive.pack(clone, archive)
    ctx.releases.put(key, archive, if_none_match=True)
    with ctx.aws.explained("read", f"s3://{ctx.releases.name}/{key}", env=ctx.releases.env):
        s3 = ctx.aws.client("s3", ctx.releases.region)
        found = s3.head_object(Bucket=ctx.releases.name, Key=key, ExpectedBucketOwner=ctx.releases.owner)
    return str(found.get("VersionId", "null"))


# What is recorded ---------------------------------------------------------------------------------------------------


def _books(repository: Repository, origin: Origin, request: Submission) -> LedgerWriter | None:
    """None where not even the environment is known, so that there is no ledger."""
    rules = repository.rules(repository.rules_commit(origin.rules_ref))
    env = origin.env or request.tag.partition("_")[0]
    if env not in rules.environments:
        return None
    return ledger_writer(rules, env, request.tag)


def _record_refusal(where: LedgerWriter | None, tag: str, error: OrchestrateError) -> None:
    if where is not None:
        detail = {"action": "submit", "reason": str(error)[:1000], "exit_code": error.exit_code}
        where.record("refused", tag, detail)


def _record_failure(repository: Repository, origin: Origin, request: Submission, error: OrchestrateError) -> None:
    """As far as that is possible: the same surroundings may keep us from it. Who follows the release waits for it."""
    with contextlib.suppress(OrchestrateError):
        where = _books(repository, origin, request)
        if where is not None:
            where.record("stopped", request.tag, {"reason": str(error)[:1000]})


def record_failed(origin: Origin, execution: str) -> str:
    """Records an execution that ended without success; returns what is recorded, for people."""
    if origin.env is None:
        raise DependencyError("which environment's pipeline failed is not known: ORCHESTRATE_ENV is not set")
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository.open(source_archive.clone(origin.url, Path(folder)))
        rules = repository.rules(repository.rules_commit(origin.rules_ref))
    region = origin.region or tooling.regions_of_environment(rules, origin.env)[0]
    pipeline = tooling.pipeline(rules, origin.env, region)
    client = Pipelines(Session(rules.project.state.region), pipeline.region, pipeline.env)
    variables, reason = client.variables(pipeline.name, execution), client.failed(pipeline.name, execution)
    tag = variables.get("TAG", "")
    answers = [[a.action, a.by, a.approved, a.comment] for a in client.approvals(pipeline.name, execution)]
    detail = {"execution": execution, "reason": reason[:1000], "approvals": answers}
    ledger_writer(rules, origin.env, tag).record("stopped", tag, detail)
    return f"execution {execution} of {pipeline.name} ({tag}) did not succeed: {reason}"
