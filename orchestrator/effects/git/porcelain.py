"""Git's porcelain, through GitPython: tags made and pushed, the working tree compared.

Imported only where it is used, because that takes longer than all of `orchestrate show`. Its git stays in our terminal
session, so that it can ask for a passphrase or a password.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from orchestrator.effects.git.command import failure, no_git

# Where there is no git, the first command says so; GitPython would raise ImportError here.
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import git as gitpython

_Result = TypeVar("_Result")


def run(folder: Path, *arguments: str) -> str:
    """One command's output. The folder is given as a Path, because GitPython replaces $NAME in text."""
    command = gitpython.Git(folder)
    return str(_checked(f"git {arguments[0]} failed", lambda: command.execute(["git", *arguments])))


def create_tag(folder: Path, name: str, commit: str, message: str, *, sign: bool) -> None:
    """An annotated tag, signed as git is configured; DependencyError where git does not make it."""
    repo = _repo(folder)
    _checked("git tag failed", lambda: repo.create_tag(name, ref=commit, message=message, annotate=True, sign=sign))


def push_tags(folder: Path, remote: str, names: Sequence[str]) -> None:
    run(folder, "push", "--atomic", "--quiet", "--end-of-options", remote, *(f"refs/tags/{name}" for name in names))


def remote_tags(folder: Path, remote: str, names: Sequence[str]) -> list[str]:
    out = run(folder, "ls-remote", "--end-of-options", remote, *(f"refs/tags/{name}" for name in names))
    return [line.split("\t")[1].removeprefix("refs/tags/") for line in out.split("\n") if line]


def has_changes(folder: Path) -> bool:
    """Whether tracked files differ from what is committed."""
    repo = _repo(folder)
    return _checked("git diff failed", lambda: repo.is_dirty(untracked_files=False))


def _repo(folder: Path) -> gitpython.Repo:
    repo = gitpython.Repo(folder, expand_vars=False)
    repo.git = gitpython.Git(folder)
    return repo


def _checked(what: str, act: Callable[[], _Result]) -> _Result:
    try:
        return act()
    except gitpython.exc.GitCommandNotFound:
        raise no_git() from None
    except gitpython.exc.CommandError as error:
        raise failure(what, str(error.stderr) or str(error)) from None
