"""Returns a target to the commit of an earlier release: under a new version, through all that releases go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.effects.ledger.ledger import Ledger
from orchestrator.errors import OrchestrateError, UsageError
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.release import rollback as rollbacks
from orchestrator.model.release.receipt import decode, receipt_key
from orchestrator.model.release.rollback import Rollback
from orchestrator.model.rules.tag import Tag, Version
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.text.progress import Progress
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.context.state import locked_by
from orchestrator.stages.context.tag_names import released
from orchestrator.stages.gates.context import WHOLE, GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.policy.preview import Preview, preview
from orchestrator.stages.record.planning import Admission
from orchestrator.stages.tags.make_tags import TagOptions, make_tags
from orchestrator.stages.tags.resolve import as_if_tagged


@dataclass(frozen=True)
class RollbackOptions:
    """What to go back to, and where. `to` None: the newest release before that is known to be good."""

    env: str
    team: str
    scope: str
    to: str | None = None


@dataclass(frozen=True)
class Proposal:
    """A rollback that could be released: under `at.release.tag`, which exists only where `made` says so."""

    ctx: ReleaseContext
    rollback: Rollback
    preview: Preview
    notes: tuple[str, ...]
    made: bool


@dataclass(frozen=True)
class _RollbackPoint:
    """Where to go back: `history` is the whole chain."""

    repository: Repository
    rules_commit: str
    target: Target
    history: History


def propose(
    repository: Repository,
    asked: RollbackOptions,
    rules_ref: str | None,
    env: Mapping[str, str],
    tell: Progress,
) -> Proposal:
    """Raises Refused where there is nothing to go back to, or its code cannot work with the state as it is now."""
    place = _place(repository, asked, rules_ref)
    goal = rollbacks.goal(place.history, Version.parse(asked.to) if asked.to is not None else None)
    tag, made = _tag(place, goal)
    ctx = ReleaseContext(as_if_tagged(repository, tag, goal.commit, place.rules_commit), repository, env, tell)
    found = rollbacks.rollback_of(place.history, str(tag), goal.commit)
    assert found is not None, "what `goal` chooses is always another commit than the one that stands"
    ask(GateContext.of(ctx, "rollback", history=place.history))
    notes = tuple(rollbacks.downgrades(locked_by(ctx), _used_providers(ctx, place.history)))
    tell(f"{found.left} goes back to {found.to}, commit {goal.commit[:12]}: planning what that would change")
    seen = preview(ctx, Admission(place.history, ctx.identify(), found))
    return Proposal(ctx, found, seen, notes, made)


def _place(repository: Repository, asked: RollbackOptions, rules_ref: str | None) -> _RollbackPoint:
    rules_commit = repository.rules_commit(rules_ref)
    rules = repository.rules(rules_commit)
    target = locate(Tag.parse(f"{asked.env}_{asked.scope}/{asked.team}/0.0"), rules)
    aws = Session(rules.project.state.region)
    aws.require_account(rules.project.tooling.account)
    stores = target.stores
    ledger = Ledger(aws, stores.ledger_table, stores.region, stores.env)
    return _RollbackPoint(repository, rules_commit, target, ledger.history(target.id, WHOLE))


def _tag(place: _RollbackPoint, goal: Entry) -> tuple[Tag, bool]:
    """The tag to release under, and whether it is there: made by a rollback that was then interrupted."""
    newest, target = rollbacks.newest_version(place.history), place.target
    stem = f"{target.env}_{target.scope}/{target.team}"
    there = {found.version: name for name, found in released(place.repository, Tag.parse(f"{stem}/0.0"))}
    known = {Tag.parse(entry.tag).version for entry in place.history.entries if entry.kind == "planned"}
    for version in rollbacks.following(newest):
        name = there.get(version)
        if name is not None and place.repository.tag(name).commit == goal.commit:
            return Tag.parse(name), True
        if name is None and version not in known:
            return Tag.parse(f"{stem}/{version}"), False
    raise AssertionError("versions never end")


def _used_providers(ctx: ReleaseContext, history: History) -> Mapping[str, str]:
    """Of the release that wrote the state last; empty where its receipt is no longer stored."""
    left = rollbacks.standing(history)
    content = ctx.releases.get(receipt_key(ctx.release.target.id, left.digest or "")) if left is not None else None
    if left is None or content is None:
        return {}
    try:
        return decode(content, left.digest or "").providers
    except OrchestrateError:
        return {}


def make_tag(proposal: Proposal, *, sign: bool, remote: str | None) -> None:
    """Tags the old commit under the new version, signed where the environment asks for it; pushes it to `remote`."""
    release, repository = proposal.ctx.release, proposal.ctx.repository
    environment, tag = release.rules.environments[release.tag.env], release.tag
    if proposal.made:
        if remote is not None:
            repository.push_tags(remote, [str(tag)])
        return
    wanted = TagOptions(
        env=tag.env,
        team=tag.team,
        version=str(tag.version),
        scopes=(tag.scope,),
        commit=release.commit,
        message=f"Rollback of {proposal.rollback.left} to {proposal.rollback.to}",
        sign=sign or environment.signature == "required",
        remote=remote,
        allow_older=True,  # than a version that has been tagged and not applied
    )
    make_tags(repository, wanted, release.rules_commit)


def check_push(repository: Repository, asked: RollbackOptions, rules_ref: str | None, remote: str | None) -> None:
    """Raises UsageError where only the pipeline may apply and the tag is not to be pushed."""
    environment = repository.rules(repository.rules_commit(rules_ref)).environments.get(asked.env)
    if remote is None and environment is not None and environment.apply_from == "pipeline":
        raise UsageError(
            f"environment {asked.env} is applied from its pipeline alone, so the tag must be pushed",
            hint="Add --push; --preview only shows what it would change.",
        )
