"""The rules as they stand, for what concerns no release: the working tree's, or where there is none the branch's."""

from __future__ import annotations

from pathlib import Path

from orchestrator.effects.worktree import find_project, project_folder, read_worktree_rules
from orchestrator.errors import SurroundingsFailed
from orchestrator.model.rules import Rules


def standing_rules(start: Path, rules_ref: str | None) -> tuple[Rules, Path]:
    """With the folder that they are of. Raises InvalidInput where they are missing or wrong."""
    if is_bare(start):
        from orchestrator.effects.git import Repository

        repository = Repository.open(start)
        return repository.rules(repository.rules_commit(rules_ref)), repository.folder
    project = project_folder(start)
    return read_worktree_rules(project), project


def is_bare(start: Path) -> bool:
    """Whether a bare repository is meant; git is asked only where one may be."""
    if find_project(start) is not None and not (start / "objects").is_dir():
        return False
    from orchestrator.effects.git_place import find_place

    try:
        return find_place(start).top is None
    except SurroundingsFailed:
        return False
