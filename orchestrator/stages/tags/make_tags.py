"""Creates the tags of a release: everything is checked before the first is made, and all are made or none."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import DependencyError, InvalidInput, OrchestrateError, Refused
from orchestrator.model.release.release import Release
from orchestrator.model.rules.rules import Rules
from orchestrator.model.rules.tag import GLOBAL, Tag
from orchestrator.model.rules.target import locate, scopes
from orchestrator.model.text.quoting import escaped, quoted
from orchestrator.stages.context.tag_names import released
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask


@dataclass(frozen=True)
class TagOptions:
    """What to tag. `scopes` None: all of the team's; `commit` None: HEAD; `remote` None: do not push."""

    env: str
    team: str
    version: str
    scopes: tuple[str, ...] | None
    commit: str | None = None
    message: str | None = None
    sign: bool = False
    remote: str | None = None
    allow_older: bool = False


@dataclass(frozen=True)
class MadeTag:
    """A tag that has been made; `object` is the id of the tag object."""

    tag: Tag
    commit: str
    object: str


@dataclass(frozen=True)
class MadeTags:
    """All tags of one call, global before the Regions."""

    tags: tuple[MadeTag, ...]
    commit: str
    chosen: str
    pushed_to: str | None
    notes: tuple[str, ...]


def make_tags(repository: Repository, wanted: TagOptions, rules_ref: str | None) -> MadeTags:
    """Raises InvalidInput or Refused with all that speaks against the tags, before any is made."""
    rules_commit = repository.rules_commit(rules_ref)
    rules = repository.rules(rules_commit)
    tags = tags_of(wanted, rules)
    commit = repository.commit(wanted.commit or "HEAD")
    for tag in tags:
        release = Release(tag, "", commit, rules_commit, rules, locate(tag, rules), ())
        ask(GateContext("commit", release, repository))
    _raise_all([error for tag in tags for error in _objections(repository, tag, wanted)])
    if wanted.remote is not None:
        _check_remote(repository, wanted.remote, tags)
    made = _make(repository, tags, commit, wanted)
    return MadeTags(made, commit, wanted.commit or "HEAD", wanted.remote, tuple(_notes(repository, wanted, tags)))


def tags_of(wanted: TagOptions, rules: Rules) -> list[Tag]:
    """The tags that are meant, global first; InvalidInput where the rules do not have one of their targets."""
    environment = rules.environments.get(wanted.env)
    team = environment.teams.get(wanted.team) if environment else None
    names = wanted.scopes
    if names is None:
        names = scopes(environment, team) if environment and team else (GLOBAL,)
    ordered = sorted(dict.fromkeys(names), key=lambda name: name != GLOBAL)
    tags = [Tag.parse(f"{wanted.env}_{scope}/{wanted.team}/{wanted.version}") for scope in ordered]
    for tag in tags:
        locate(tag, rules)
    return tags


def _objections(repository: Repository, tag: Tag, wanted: TagOptions) -> Iterator[OrchestrateError]:
    name = str(tag)
    for blocking in repository.blocking_tags(name):
        yield InvalidInput(
            f"the tag {quoted(blocking)} stands in the way of {name}: git keeps tags like files in folders",
            hint=f"If it is a mistake, delete it: git tag -d {shlex.quote(escaped(blocking))} (and at the remote).",
        )
    same = [(other_name, other) for other_name, other in released(repository, tag) if other.version == tag.version]
    for other_name, _ in same:
        what = "exists already" if other_name == name else f"is the same version as {other_name}, which exists"
        yield Refused(f"the tag {name} {what}", hint="A released version is never moved: take the next one.")
    newest = max((other.version for _, other in released(repository, tag)), default=tag.version)
    if not same and tag.version < newest and not wanted.allow_older:
        yield Refused(
            f"{name} is older than {newest}, the newest version of this target",
            hint="Take a newer version, or add --allow-older if that is meant.",
        )


def _raise_all(errors: Sequence[OrchestrateError]) -> None:
    """One error that says everything, of the class of the first."""
    if not errors:
        return
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    raise type(errors[0])("\n".join(error.message for error in errors), hint="\n".join(hints) or None)


def _check_remote(repository: Repository, remote: str, tags: Sequence[Tag]) -> None:
    there = repository.remote_tags(remote, [str(tag) for tag in tags])
    if there:
        raise Refused(
            f"{remote} already has {', '.join(there)}",
            hint="`git fetch --tags` brings them. A released version is never moved: take the next one.",
        )


def _make(repository: Repository, tags: Sequence[Tag], commit: str, wanted: TagOptions) -> tuple[MadeTag, ...]:
    made: list[MadeTag] = []
    try:
        for tag in tags:
            message = wanted.message or f"Release {tag.version} of {tag.team} to {tag.env}, {tag.scope}"
            repository.create_tag(str(tag), commit, message, sign=wanted.sign)
            made.append(MadeTag(tag, commit, repository.tag(str(tag)).object))
        if wanted.remote is not None:
            _push(repository, wanted.remote, tags)
    except BaseException as error:
        _take_back(repository, made, error)
        raise
    return tuple(made)


def _push(repository: Repository, remote: str, tags: Sequence[Tag]) -> None:
    try:
        repository.push_tags(remote, [str(tag) for tag in tags])
    except DependencyError as error:
        fetch = (
            "The tags are removed here again. If the connection broke, `git fetch --tags` tells what the remote took."
        )
        raise DependencyError(error.message, hint="\n".join(filter(None, (error.hint, fetch)))) from None


def _take_back(repository: Repository, made: Sequence[MadeTag], cause: BaseException) -> None:
    """Deletes the tags again, each if the one before cannot be; names those that are left."""
    left: list[str] = []
    for each in made:
        try:
            repository.delete_tag(str(each.tag), each.object)
        except OrchestrateError:
            left.append(str(each.tag))
    if left:
        message = f"{cause or 'interrupted'}\nthe tags {', '.join(left)} could not be removed again"
        raise DependencyError(message, hint=f"Remove them: git tag -d {' '.join(left)}") from cause


def _notes(repository: Repository, wanted: TagOptions, tags: Sequence[Tag]) -> Iterator[str]:
    if wanted.commit is None and repository.has_uncommitted_changes:
        yield "The working tree has changes that are not committed; they are not part of the release."
    if tags[0].is_global and len(tags) > 1:
        yield f"Release {tags[0]} before the Regions: they may need what it creates."
