"""What a shell offers while somebody types: environments, teams and scopes of the rules, tags and versions of git."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.effects.git.repository import Repository
from orchestrator.effects.git.worktree import project_folder, read_worktree_rules
from orchestrator.errors import OrchestrateError
from orchestrator.model.rules.rules import FOLDER, PROJECT_FILE
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import all_targets


def candidates(name: str, start: Path, chosen: Mapping[str, object]) -> list[str]:
    """For the option `name`: env, team, scope, version or tag. `chosen` are the options that stand on the line already.

    Nothing where that cannot be found out: whoever types wants no error between the letters.
    """
    try:
        return list(dict.fromkeys(_found(name, start, chosen)))
    except (OrchestrateError, OSError):
        return []


def _found(name: str, start: Path, chosen: Mapping[str, object]) -> Iterable[str]:
    if name == "env":
        return _environments(project_folder(start))
    if name in ("tag", "version"):
        tags = [tag for tag in _tags(start) if _is_chosen(tag, chosen)]
        return [str(tag) if name == "tag" else str(tag.version) for tag in tags]
    targets = all_targets(read_worktree_rules(project_folder(start)))
    return sorted({getattr(target, name) for target in targets if _is_chosen(target, chosen)})


def _environments(project: Path) -> list[str]:
    """By their files alone: reading all rules takes as long as everything else."""
    return sorted(path.stem for path in (project / FOLDER).glob("*.yaml") if path.name != Path(PROJECT_FILE).name)


def _tags(start: Path) -> list[Tag]:
    """Of releases, the newest version first."""
    tags = []
    for name in Repository.open(start).tag_names(""):
        try:
            tags.append(Tag.parse(name))
        except OrchestrateError:
            continue
    return sorted(tags, key=lambda tag: (tag.version, tag.env, tag.team, tag.scope), reverse=True)


def _is_chosen(found: object, chosen: Mapping[str, object]) -> bool:
    return all(chosen.get(part) in (None, (), getattr(found, part)) for part in ("env", "team", "scope"))
