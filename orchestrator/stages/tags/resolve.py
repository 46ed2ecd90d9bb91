"""From a tag's name to a release: one commit, verified, and the rules of the protected branch."""

from __future__ import annotations

from orchestrator.effects.git.repository import Repository, TagRef
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.release.release import Author, Release
from orchestrator.model.release.signature import Signed, mail_of
from orchestrator.model.rules.config import Environment
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target, locate
from orchestrator.model.text.quoting import escaped


def resolve(repository: Repository, name: str, rules_ref: str | None) -> Release:
    """Raises InvalidInput for a bad tag or bad rules, Refused where a rule forbids the tag."""
    tag = Tag.parse(name)
    rules_commit = repository.rules_commit(rules_ref)
    rules = repository.rules(rules_commit)
    target = locate(tag, rules)
    ref = repository.tag(name)
    _check_tag(ref, rules.environments[tag.env])
    _check_twins(repository, tag)
    check_merged(repository, ref.commit, rules_commit, rules.environments[tag.env])
    signed = _signed(repository, ref, rules_commit, rules.environments[tag.env])
    var_files = check_content(repository, ref.commit, target)
    author = Author(signed, mail_of(ref.tagger))
    return Release(tag, ref.object, ref.commit, rules_commit, rules, target, var_files, author)


def as_if_tagged(repository: Repository, tag: Tag, commit: str, rules_commit: str) -> Release:
    """A commit as the release that a tag would make of it; there is no tag object. Raises as `resolve` does."""
    rules = repository.rules(rules_commit)
    target = locate(tag, rules)
    here = repository.commit(commit)
    check_merged(repository, here, rules_commit, rules.environments[tag.env])
    return Release(tag, "", here, rules_commit, rules, target, check_content(repository, here, target))


def _signed(repository: Repository, ref: TagRef, rules_commit: str, environment: Environment) -> Signed | None:
    if environment.signature == "none":
        return None
    from orchestrator.stages.tags.signed import check_signature

    return check_signature(repository, ref, rules_commit, environment)


def _check_tag(ref: TagRef, environment: Environment) -> None:
    if not ref.annotated and not environment.allow_lightweight_tags:
        raise Refused(
            f"{ref.name} is a lightweight tag: it has no tag object, so nobody is recorded as its author",
            hint="Make it with `orchestrate tag` (or `git tag --annotate`).",
        )
    if ref.annotated and ref.inner_name != ref.name:
        raise Refused(
            f"the ref {ref.name} points to a tag object that calls itself {escaped(str(ref.inner_name))}",
            hint="Somebody re-pointed a tag under another name. Delete it and make a tag of its own.",
        )


def _check_twins(repository: Repository, tag: Tag) -> None:
    """1.0 and 1.0.0 are the same version and may not both exist for a target."""
    for name, other in released(repository, tag):
        if name != str(tag) and other.version == tag.version:
            raise Refused(
                f"{tag} and {name} are the same version of one target",
                hint="Keep one of the two tags; delete the other.",
            )


def released(repository: Repository, tag: Tag) -> list[tuple[str, Tag]]:
    """The release tags of the same target; what else stands there is not a release."""
    names = repository.tag_names(f"{tag.env}_{tag.scope}/{tag.team}/*")
    return [(name, found) for name in names if (found := parsed(name)) is not None]


def parsed(name: str) -> Tag | None:
    """The tag of that name, None where it is not a release tag."""
    try:
        return Tag.parse(name)
    except InvalidInput:
        return None


def check_merged(repository: Repository, commit: str, rules_commit: str, environment: Environment) -> None:
    """Raises Refused for a commit that the protected branch does not contain."""
    if environment.allow_unmerged_commits or repository.is_ancestor(commit, rules_commit):
        return
    raise Refused(
        f"the commit {commit[:12]} is not on the protected branch (at {rules_commit[:12]})",
        hint="Merge it there first, or fetch the branch if it has been merged.",
    )


def check_content(repository: Repository, commit: str, target: Target) -> tuple[str, ...]:
    """The variable files there are; InvalidInput where the commit cannot be released to the target."""
    if not repository.has_folder(commit, target.root):
        raise InvalidInput(
            f"the commit {commit[:12]} has no folder {target.root}, the root configuration of team {target.team}",
            hint="Tag a commit that holds it, or change `root` in the configuration.",
        )
    found = tuple(path for path in target.var_file_candidates if repository.read(commit, path) is not None)
    for path in found:
        if repository.is_link(commit, path):
            raise InvalidInput(f"{path} of commit {commit[:12]} is a symbolic link; write the variables out")
    return found
