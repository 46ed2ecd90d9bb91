"""How git is run, through GitPython, and what its failures mean."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from subprocess import PIPE
from typing import Any

from orchestrator.errors import SurroundingsFailed
from orchestrator.model.text import escaped

# Where there is no git, the first command says so; GitPython would raise ImportError here.
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import git as gitpython

__all__ = ["Command", "failure", "gitpython", "reason"]

# Replacement objects and grafts would show another content, or other ancestors, under the same commit.
_AS_COMMITTED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": f"{os.devnull}/none"}


class Command:
    """Git commands in one folder; what they say about a failure becomes SurroundingsFailed."""

    def __init__(self, folder: Path) -> None:
        # As a Path, because GitPython replaces $NAME in a folder given as text; with -C, because it goes to the
        # current folder where it cannot enter the one it was given.
        self._command = gitpython.Git(folder)
        self._command.update_environment(**_AS_COMMITTED)
        self._git = ("git", "-C", str(folder))

    def run(self, *arguments: str, missing: str | None = None) -> str:
        """The output without its last line break; where git says no, `missing` if it is given."""
        try:
            return str(self._command.execute([*self._git, *arguments], strip_newline_in_stdout=True))
        except gitpython.exc.CommandError as error:
            refused = isinstance(error, gitpython.exc.GitCommandNotFound) or "dubious ownership" in str(error.stderr)
            if missing is not None and not refused:
                return missing
            raise failure(f"git {arguments[0]} failed", error) from None

    def holds(self, *arguments: str) -> bool:
        """The answer of a command that says no with exit code 1."""
        code, _, said = self._execute(arguments, with_extended_output=True, with_exceptions=False)
        if code not in (0, 1):
            raise failure(f"git {arguments[0]} failed", str(said))
        return bool(code == 0)

    def judges(self, *arguments: str, settings: Mapping[str, str], env: Mapping[str, str]) -> tuple[bool, str]:
        """Whether the command ended well, and what it said; `settings` are stronger than all configuration files."""
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        code, _, said = self._execute((*options, *arguments), env=env, with_extended_output=True, with_exceptions=False)
        return code == 0, str(said)

    def start(self, *arguments: str) -> gitpython.Git.AutoInterrupt:
        """A command that goes on running."""
        process = self._execute(arguments, istream=PIPE, as_process=True)
        assert isinstance(process, gitpython.Git.AutoInterrupt)
        return process

    def _execute(self, arguments: tuple[str, ...], **options: Any) -> Any:
        try:
            return self._command.execute([*self._git, *arguments], **options)
        except gitpython.exc.CommandError as error:
            raise failure(f"git {arguments[0]} failed", error) from None

    def refs(self, *patterns: str) -> Mapping[str, str]:
        """Object ids by full ref name, of the refs that match one of the patterns or stand below it."""
        safe = [pattern for pattern in patterns if not re.search(r"[\0\n]", pattern)]
        if not safe:
            return {}
        out = self.run("for-each-ref", "--format=%(objectname) %(refname)", *safe)
        return {name: object_id for object_id, _, name in (line.partition(" ") for line in out.split("\n")) if name}

    def ref(self, name: str) -> str | None:
        """The id of the object that the ref of exactly this name points to."""
        return self.refs(name).get(name)


def failure(what: str, error: Exception | str) -> SurroundingsFailed:
    """What git said, in one line, and what to do about it where that is known."""
    if isinstance(error, gitpython.exc.GitCommandNotFound):
        return SurroundingsFailed(f"{what}: there is no git on the PATH", hint="Install git.")
    text = error if isinstance(error, str) else str(getattr(error, "stderr", "") or error)
    return SurroundingsFailed(f"{what}: {reason(text)}", hint=_hint(text))


def reason(text: str) -> str:
    """The line of git's output that says why, without escape sequences of a remote's answer."""
    lines = [line.strip(" '\n") for line in text.removeprefix("\n").removeprefix("  stderr: ").splitlines()]
    lines = [line for line in lines if line]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error:"))]
    return escaped((telling or lines[-1:] or ["no reason given"])[0])


def _hint(text: str) -> str | None:
    if "dubious ownership" in text:
        found = re.search("safe.directory '?(.+?)'?\n", text + "\n")
        folder = found[1] if found else "FOLDER"
        return (
            "The repository belongs to another user. If you trust what it holds:\n"
            f"  git config --global --add safe.directory {escaped(folder)}"
        )
    if "promisor" in text or "unable to read sha1 file" in text or "could not fetch" in text:
        return "This clone lacks objects. Clone it again without --filter, or run `git fetch --refetch --no-filter`."
    if "tell me who you are" in text or "auto-detect email" in text or "empty ident" in text:
        return "Say who you are: git config user.name NAME; git config user.email ADDRESS."
    return None
