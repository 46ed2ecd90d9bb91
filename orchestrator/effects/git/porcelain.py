"""Git's porcelain, through GitPython: tags made and pushed, the working tree compared.

Imported only where it is used, because that takes longer than all of `orchestrate show`. Its git stays in our terminal
session, so that it can ask for a passphrase or a password. It works in a git folder of our own (see `own_folder`): of
the repository's configuration it gets who signs and where the remote is, and no program.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from orchestrator.effects.git import own_folder
from orchestrator.effects.git.command import AS_COMMITTED, failure, no_git, pinned
from orchestrator.effects.git.place import RepositoryLocation

# Where there is no git, the first command says so; GitPython would raise ImportError here.
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import git as gitpython

_Result = TypeVar("_Result")

# What is taken over: values, never the name of a program or of a file with more settings.
_WHO = ("user.name", "user.email", "user.signingkey", "tag.gpgsign", "gpg.format")
_HOW_TO_REACH = r"^http\.(.*\.)?(extraheader|proxy|sslcainfo)$"


@dataclass(frozen=True)
class Porcelain:
    """Commands about one repository."""

    place: RepositoryLocation
    sha256: bool

    def create_tag(self, name: str, commit: str, message: str, *, sign: bool) -> str:
        """An annotated tag object, signed as the user's git is configured; returns its id.

        No ref names it yet. DependencyError where git does not make it.
        """
        settings = {name: value for name in _WHO if (value := self._setting(name))}
        with own_folder.temporary(self.place.common_dir, sha256=self.sha256) as (folder, env):
            arguments = ["tag", "--annotate", *(["--sign"] if sign else []), "--message", message, name, commit]
            self._run(arguments, env | pinned(settings))
            return (folder / "refs" / "tags" / name).read_text().strip()

    def push_tags(self, remote: str, tags: Mapping[str, str]) -> None:
        """Object ids by name; all or none."""
        refs = [f"{object_id}:refs/tags/{name}" for name, object_id in tags.items()]
        self._remote(["push", "--atomic", "--quiet", "--end-of-options", self._url(remote, push=True), *refs])

    def remote_refs(self, remote: str, patterns: Sequence[str]) -> dict[str, str]:
        """Object ids by full name, of the remote's refs that match one of the patterns."""
        out = self._remote(["ls-remote", "--end-of-options", self._url(remote), *patterns])
        pairs = (line.split("\t") for line in out.split("\n") if line)
        return {name: object_id for object_id, name in pairs}

    def has_changes(self, commit: str) -> bool:
        """Whether tracked files differ from what is committed; filters see none of them."""
        with own_folder.temporary(self.place.common_dir, sha256=self.sha256) as (folder, env):
            index = Path(self.place.command.run("rev-parse", "--path-format=absolute", "--git-path", "index"))
            for path in (index, *index.parent.glob("sharedindex.*")):
                if path.exists():
                    shutil.copy2(path, folder / path.name)
            compare = ["diff", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty", "--name-only", commit]
            return bool(self._run(compare, env | pinned() | {"GIT_WORK_TREE": str(self.place.folder)}))

    def _remote(self, arguments: Sequence[str]) -> str:
        with own_folder.temporary(self.place.common_dir, sha256=self.sha256) as (_, env):
            return self._run(arguments, env | pinned(dict(self._reaching())))

    def _url(self, remote: str, *, push: bool = False) -> str:
        """Where the repository says that its remote is; what is no remote's name is itself a place."""
        options = ["--push"] if push else []
        return self.place.command.run("remote", "get-url", *options, "--", remote, missing=remote).split("\n")[0]

    def _setting(self, name: str) -> str:
        return self.place.command.run("config", "--get", name, missing="")

    def _reaching(self) -> Iterator[tuple[str, str]]:
        for pair in self.place.command.run("config", "-z", "--get-regexp", _HOW_TO_REACH, missing="").split("\0"):
            name, found, value = pair.partition("\n")
            if found:
                yield name, value

    def _run(self, arguments: Sequence[str], env: Mapping[str, str]) -> str:
        """The folder is given as a Path, because GitPython replaces $NAME in text."""
        command = gitpython.Git(self.place.folder)
        asked = ["git", *arguments]
        return _checked(f"git {arguments[0]} failed", lambda: str(command.execute(asked, env={**env, **AS_COMMITTED})))


def _checked(what: str, act: Callable[[], _Result]) -> _Result:
    try:
        return act()
    except gitpython.exc.GitCommandNotFound:
        raise no_git() from None
    except gitpython.exc.CommandError as error:
        raise failure(what, str(error.stderr) or str(error)) from None
