"""The folder in which one target is planned and applied.

    <root>/<project>/<env>/<team>/<scope>/
        lock     held while somebody works here, Terraform included
        source/  the export of the tagged commit, with the generated files
        data/    TF_DATA_DIR
        run/     plan file, variable file, logs; mode 0700

The path is the same for every run of a target: resources named after `path.cwd` keep their names, and files that
planning made stand at the same absolute path when the plan is applied.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.system import safe_folder
from orchestrator.effects.system.cache import cache_folder
from orchestrator.errors import Locked
from orchestrator.model.rules.config import Project
from orchestrator.model.rules.target import Target

_MARK = "lock"


@dataclass(frozen=True)
class Workspace:
    """An open workspace; `lock` is the descriptor of its locked lock file."""

    path: Path
    lock: int

    @property
    def source(self) -> Path:
        return self.path / "source"

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def trace(self) -> Path:
        """Terraform's own log of the locks that it takes; it outlives the runs."""
        return self.run / "locks.log"

    @property
    def begun(self) -> Path:
        """Holds the id of the ledger's entry of the apply whose log is `run/apply.log`."""
        return self.run / "begun"

    @property
    def unsaved_states(self) -> tuple[Path, ...]:
        """States that a Terraform here could not save; it writes them beside the root's files."""
        found = self.source.rglob("errored.tfstate") if self.source.exists() else ()
        return (*sorted(found), *sorted(self.run.glob("errored-*.tfstate")))

    def clear_source(self) -> None:
        """Removes what an earlier run exported; the providers in `data` stay."""
        shutil.rmtree(self.source, ignore_errors=False) if self.source.exists() else None


def workspaces(env: Mapping[str, str]) -> Path:
    """$ORCHESTRATE_WORKSPACES, else `workspaces` in the cache folder."""
    own = env.get("ORCHESTRATE_WORKSPACES")
    return Path(os.path.realpath(own)) if own else Path(os.path.realpath(cache_folder(env))) / "workspaces"


def place_of(project: Project, target: Target, env: Mapping[str, str]) -> Path:
    """The target's own folder among the workspaces."""
    return workspaces(env) / suffix(project, target)


def suffix(project: Project, target: Target) -> Path:
    """Names the target among all projects of a user."""
    return Path(f"{project.state.prefix}-{project.tooling.account}", target.env, target.team, target.scope)


@contextlib.contextmanager
def opened(path: Path, depth: int = 4) -> Iterator[Workspace]:
    """Locks the workspace for us; raises Locked where another run works there.

    `depth` counts the folders from that of all workspaces to this one: all of them are ours.

    A Terraform that we start inherits the lock: it holds even when we are killed, until Terraform has ended.
    """
    _make(path, depth)
    descriptor = os.open(path / _MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(path) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield Workspace(path, descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path, depth: int) -> None:
    """On a shared machine, others must be able neither to read plans nor to put another one in their place."""
    safe_folder.make(path / "run", own=depth + 2)  # with `run`, and the folder of all workspaces
    for folder in ("source", "data"):
        safe_folder.refuse_link(path / folder)


def _held(path: Path) -> Locked:
    holder = (path / _MARK).read_text().strip() or "unknown"
    return Locked(
        f"another run of this target is under way on this machine (process {holder}, or a program that it started)",
        hint=f"Wait until it ends. Its workspace is {path}.",
    )
