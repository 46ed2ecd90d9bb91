"""What a commit must hold to be released to a target."""

from __future__ import annotations

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import InvalidInput
from orchestrator.model.rules.target import Target


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
