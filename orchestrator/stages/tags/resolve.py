"""From a tag's name to a release: one commit, verified, and the rules of the protected branch."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.effects.git.repository import Repository
from orchestrator.model.release.release import Author, Release
from orchestrator.model.release.signature import mail_of
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import locate
from orchestrator.stages.gates.context import GateContext
from orchestrator.stages.gates.registry import ask


def resolve(repository: Repository, name: str, rules_ref: str | None) -> Release:
    """Raises InvalidInput for a bad tag or bad rules, Refused where a gate forbids the tag."""
    asked = look_up(repository, name, rules_ref)
    ask(asked)
    release = asked.release
    return replace(release, var_files=asked.var_files, author=Author(asked.signed, mail_of(asked.ref.tagger)))


def look_up(repository: Repository, name: str, rules_ref: str | None) -> GateContext:
    """What a tag names, whether or not it may be released; the release lacks its author and its variable files."""
    tag = Tag.parse(name)
    rules_commit = repository.rules_commit(rules_ref)
    rules = repository.rules(rules_commit)
    target = locate(tag, rules)
    ref = repository.tag(name)
    release = Release(tag, ref.object, ref.commit, rules_commit, rules, target, ())
    return GateContext("tag", release, repository, facts={"ref": ref})


def as_if_tagged(repository: Repository, tag: Tag, commit: str, rules_commit: str) -> Release:
    """A commit as the release that a tag would make of it; there is no tag object. Raises as `resolve` does."""
    rules = repository.rules(rules_commit)
    release = Release(tag, "", repository.commit(commit), rules_commit, rules, locate(tag, rules), ())
    asked = GateContext("commit", release, repository)
    ask(asked)
    return replace(release, var_files=asked.var_files)
