"""Where a repository is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orchestrator.effects.git.command import LOCAL_VARIABLES, GitCommand
from orchestrator.errors import DependencyError


@dataclass(frozen=True)
class RepositoryLocation:
    """A repository; `top` is the top of its working tree, None where there is none (it is bare)."""

    command: GitCommand
    top: Path | None
    is_shallow: bool

    @cached_property
    def common_dir(self) -> Path:
        """The git folder, of the main working tree where this is a linked one."""
        return Path(self.command.run("rev-parse", "--path-format=absolute", "--git-common-dir"))

    @property
    def folder(self) -> Path:
        return self.common_dir if self.top is None else self.top


def find_place(start: Path) -> RepositoryLocation:
    """The repository around `start`; DependencyError where there is none, or it may not be read."""
    for name in LOCAL_VARIABLES:
        os.environ.pop(name, None)
    folder = start.resolve()
    questions = ("--is-inside-work-tree", "--is-shallow-repository", "--show-cdup")
    try:
        inside, shallow, *up = GitCommand(folder).run("rev-parse", *questions).split("\n")
    except DependencyError as error:
        if "not a git repository" not in error.message:
            raise
        raise DependencyError(
            f"{start.absolute()} is not in a git repository",
            hint="Run this inside the infrastructure repository, or name it with --repo.",
        ) from None
    top = (folder / "".join(up)).resolve() if inside == "true" else None
    return RepositoryLocation(GitCommand(top or folder), top, shallow == "true")
