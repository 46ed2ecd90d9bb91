"""Git's plumbing commands, as scripts may rely on them, and what git's failures mean.

Everything that decides what is released is asked here, not through GitPython (see `porcelain`): that replaces $NAME
in folder names, goes to the current folder where it cannot enter the one it was given, reads no SHA-256 repositories
and takes a failing git for a missing object; and importing it takes longer than all of `orchestrate show`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.effects.system import process
from orchestrator.effects.system.process import Completed
from orchestrator.errors import DependencyError
from orchestrator.model.text.quoting import escaped

_PATIENCE = 600.0  # seconds

# What would make git look elsewhere than in the repository we were given (`git rev-parse --local-env-vars`, and where
# attributes come from); a hook sets some of these.
LOCAL_VARIABLES = frozenset(
    "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_OBJECT_DIRECTORY GIT_DIR "
    "GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_REPLACE_REF_BASE GIT_PREFIX "
    "GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_NAMESPACE GIT_ATTR_SOURCE".split()
)

# Settings that a repository from elsewhere may not decide: programs that git would start (fsmonitor, hooks), and files
# that say what commits and packs hold without being the objects themselves.
_NEVER: Mapping[str, str] = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.commitGraph": "false",
    "core.multiPackIndex": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
# No object is fetched while we read: a partial clone names the program that would do it (core.sshCommand, a remote's
# upload-pack). Each of the three alone is enough for some versions of git.
_OFFLINE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0"}


def pinned(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that put these settings, and what is never a repository's to decide, over all its configuration."""
    pairs = [*(settings or {}).items(), *_NEVER.items()]
    numbered = {
        f"GIT_CONFIG_{part}_{n}": pair[i] for n, pair in enumerate(pairs) for i, part in ((0, "KEY"), (1, "VALUE"))
    }
    return {"GIT_CONFIG_COUNT": str(len(pairs)), "GIT_OPTIONAL_LOCKS": "0", **numbered}


def reading() -> dict[str, str]:
    """The environment of a git that reads a repository: it starts no program and reaches no other machine."""
    return {**_kept(), **pinned({"protocol.allow": "never"}), **_OFFLINE, **AS_COMMITTED, **_IN_ENGLISH}


def _talking() -> dict[str, str]:
    """As `reading`, where we mean to talk to a remote."""
    return {**_kept(), **pinned(), **AS_COMMITTED, **_IN_ENGLISH}


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in LOCAL_VARIABLES}


# Replacement objects and grafts would show another content, or other ancestors, under the same commit.
AS_COMMITTED = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": f"{os.devnull}/none"}
_IN_ENGLISH = {"LC_ALL": "C", "LANGUAGE": "C"}


class GitCommand:
    """Git commands in one folder; what they say about a failure becomes DependencyError."""

    def __init__(self, folder: Path, *, online: bool = False) -> None:
        """`online`: to talk to a remote, from a folder whose settings are not a stranger's."""
        self._git = ("git", "-C", str(folder))
        self._env = _talking() if online else reading()

    def run(self, *arguments: str, missing: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """The output without its last line break; where git says no, `missing` if it is given."""
        done = self._execute(arguments, env)
        if done.returncode == 0:
            return done.stdout.removesuffix("\n")
        if missing is not None and "dubious ownership" not in done.stderr:
            return missing
        raise failure(f"git {arguments[0]} failed", done.stderr or _killed(done.returncode))

    def holds(self, *arguments: str) -> bool:
        """The answer of a command that says no with exit code 1."""
        done = self._execute(arguments)
        if done.returncode not in (0, 1):
            raise failure(f"git {arguments[0]} failed", done.stderr)
        return done.returncode == 0

    def judges(self, *arguments: str, settings: Mapping[str, str], env: Mapping[str, str]) -> tuple[bool, str]:
        """Whether the command ended well, and what it said; `settings` are stronger than all configuration files."""
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        done = self._execute((*options, *arguments), env)
        return done.returncode == 0, done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that goes on running, until `process.end`."""
        try:
            return process.start([*self._git, *arguments], env=self._env)
        except DependencyError as error:
            raise self._cannot_run(error) from None

    def _execute(self, arguments: tuple[str, ...], env: Mapping[str, str] | None = None) -> Completed:
        argv, env = [*self._git, *arguments], self._env | dict(env or {})
        try:
            return process.run(argv, env=env, timeout=_PATIENCE, undecodable="surrogateescape")
        except DependencyError as error:
            raise self._cannot_run(error) from None

    def _cannot_run(self, error: DependencyError) -> DependencyError:
        import shutil

        return error if shutil.which("git", path=self._env.get("PATH")) else no_git()

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


def _killed(returncode: int) -> str:
    return f"it was killed by {signal.Signals(-returncode).name}" if returncode < 0 else ""


def no_git() -> DependencyError:
    return DependencyError("there is no git on the PATH", hint="Install git.")


def failure(what: str, said: str) -> DependencyError:
    """What git said on its standard error, in one line, and what to do about it where that is known."""
    return DependencyError(f"{what}: {reason(said)}", hint=_hint(said))


def reason(text: str) -> str:
    """The line of git's output that says why, without escape sequences of a remote's answer."""
    lines = [line.strip(" '\n") for line in text.removeprefix("\n").removeprefix("  stderr: ").splitlines()]
    lines = [line for line in lines if line]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!", "remote: error:"))]
    return escaped((telling or lines[-1:] or ["no reason given"])[0])


_LACKS_OBJECTS = (
    "This clone lacks objects, and none are fetched while it is read. Clone it again without --filter, or run "
    "`git fetch --refetch --no-filter`."
)


def _hint(text: str) -> str | None:
    if "dubious ownership" in text:
        found = re.search("safe.directory '?(.+?)'?\n", text + "\n")
        folder = found[1] if found else "FOLDER"
        return (
            "The repository belongs to another user. If you trust what it holds:\n"
            f"  git config --global --add safe.directory {escaped(folder)}"
        )
    if "promisor" in text or "unable to read sha1 file" in text or "could not fetch" in text:
        return _LACKS_OBJECTS
    if "tell me who you are" in text or "auto-detect email" in text or "empty ident" in text:
        return "Say who you are: git config user.name NAME; git config user.email ADDRESS."
    return None
