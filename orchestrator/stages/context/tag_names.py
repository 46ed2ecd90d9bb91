"""The release tags of a target, by their names."""

from __future__ import annotations

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput
from orchestrator.model.rules.tag import Tag


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
