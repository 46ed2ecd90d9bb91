"""Makes the tags by which a version that has run in one environment is released to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from orchestrator.effects.aws.session import Session
from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.release.promotion import origins
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.text.progress import Progress
from orchestrator.model.text.quoting import quoted
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask
from orchestrator.stages.record.refusals import of_name
from orchestrator.stages.record.writer import ledger_writer
from orchestrator.stages.tags.make_tags import MadeTags, TagOptions, make_tags, tags_of
from orchestrator.stages.tags.resolve import resolve


def promote(repository: Repository, wanted: TagOptions, rules_ref: str | None, tell: Progress) -> MadeTags:
    """Tags the commit of the same version in the environment that `wanted.env` is promoted from.

    Raises Refused where that version, or what the rules ask of it, is missing there: before any tag is made. That the
    rules do not let the commit in is recorded under the tag that it would have got.
    """
    rules_commit = repository.rules_commit(rules_ref)
    rules = repository.rules(rules_commit)
    tags = tags_of(wanted, rules)
    targets = [locate(tag, rules) for tag in tags]
    origin = rules.environments[wanted.env].promote_from
    if origin is None:
        raise InvalidInput(
            f"the environment {wanted.env} is promoted from no other one",
            hint=f"Set promote_from in envs/{wanted.env}.yaml, or make the tags with `orchestrate tag`.",
        )
    commit = _commit(repository, rules, targets, wanted.version, rules_ref)
    Session(rules.project.state.region).require_account(rules.project.tooling.account)
    for tag, target in zip(tags, targets, strict=True):
        with of_name(str(tag), "promote", partial(ledger_writer, rules, wanted.env, str(tag)), tell, commit):
            release = Release(tag, "", commit, rules_commit, rules, target, ())
            ask(GateContext.of(ReleaseContext(release, repository, {}, tell), "promote"))
    return make_tags(repository, replace(wanted, commit=commit), rules_ref)


def _commit(
    repository: Repository, rules: Rules, targets: Sequence[Target], version: str, rules_ref: str | None
) -> str:
    """The one commit that this version is everywhere in the environment before."""
    places = dict.fromkeys(place for target in targets for place in origins(rules, target))
    names = [f"{place.env}_{place.scope}/{place.team}/{version}" for place in places]
    there = repository.tag_names(*names) if names else []
    commits = {name: resolve(repository, name, rules_ref).commit for name in names if name in there}
    if not commits:
        raise Refused(
            f"there is no tag of version {quoted(version)} to promote" + (f": {' or '.join(names)}" if names else ""),
            hint="`git fetch --tags` brings new ones; `orchestrate status` shows what runs where.",
        )
    if len(set(commits.values())) > 1:
        told = ", ".join(f"{name} is {commit[:12]}" for name, commit in commits.items())
        raise Refused(
            f"version {version} is not the same commit everywhere: {told}",
            hint="Promote the scopes one by one: --scope.",
        )
    return next(iter(commits.values()))
