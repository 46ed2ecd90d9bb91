"""The rules as they stand, for what concerns no release: the working tree's, or where there is none the branch's."""

from __future__ import annotations

from pathlib import Path

from orchestrator.effects.git.worktree import find_project, project_folder, read_worktree_rules
from orchestrator.errors import DependencyError, OrchestrateError
from orchestrator.model.rules.config import TerraformSettings
from orchestrator.model.rules.rules import Rules
from orchestrator.model.text.progress import Progress


def current_rules(start: Path, rules_ref: str | None) -> tuple[Rules, Path]:
    """With the folder that they are of. Raises InvalidInput where they are missing or wrong."""
    if is_bare(start):
        from orchestrator.effects.git.repository import Repository

        repository = Repository.open(start)
        return repository.rules(repository.rules_commit(rules_ref)), repository.folder
    project = project_folder(start)
    return read_worktree_rules(project), project


def standing_program(start: Path, rules_ref: str | None, warn: Progress) -> str:
    """`terraform.program` of the project around `start`; the default where there is no project, or a broken one.

    Who has yet to install the programs may be anywhere, so only a broken configuration is worth a warning.
    """
    default = TerraformSettings().program
    try:
        if find_project(start) is not None or is_bare(start):
            return current_rules(start, rules_ref)[0].project.terraform.program
    except (OrchestrateError, OSError) as error:
        warn(f"Warning: {error}\nSo `terraform.program` cannot be read, and {default} is assumed.")
    return default


def is_bare(start: Path) -> bool:
    """Whether a bare repository is meant; git is asked only where one may be."""
    if find_project(start) is not None and not (start / "objects").is_dir():
        return False
    from orchestrator.effects.git.place import find_place

    try:
        return find_place(start).top is None
    except DependencyError:
        return False
