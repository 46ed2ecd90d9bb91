"""Folders of ours on a machine that others use as well: nobody else can put another one in their place.

Each part of the path is opened in the one before it, and no link is followed: what is checked is what is used.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchestrator.errors import DependencyError

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make(path: Path, *, own: int) -> None:
    """Makes the folder and what is missing above it, mode 0700.

    Of its last `own` parts, which are ours to make, the rights of others to write are taken away. Raises
    DependencyError where a part is a link, belongs to somebody else, or could be replaced by others.
    """
    parts = path.absolute().parts
    folder = os.open(parts[0], _FLAGS)
    try:
        for number, part in enumerate(parts[1:], 1):
            inner = _opened(part, folder, Path(*parts[: number + 1]))
            os.close(folder)
            folder = inner
            _check(folder, Path(*parts[: number + 1]), ours=number >= len(parts) - own)
    finally:
        os.close(folder)


def refuse_link(path: Path) -> None:
    """DependencyError where something else than a folder of ours stands there; nothing may."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise _unusable(path, "is not a folder of yours")


def _opened(part: str, folder: int, shown: Path) -> int:
    try:
        return os.open(part, _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unusable(shown, f"is a link or not a folder ({error.strerror})") from None
    try:
        os.mkdir(part, 0o700, dir_fd=folder)
        return os.open(part, _FLAGS, dir_fd=folder)
    except OSError as error:
        raise _unusable(shown, f"cannot be made: {error.strerror}") from None


def _check(folder: int, shown: Path, *, ours: bool) -> None:
    status = os.fstat(folder)
    if status.st_uid not in ((os.geteuid(),) if ours else (0, os.geteuid())):
        raise _unusable(shown, "belongs to another user")
    if not status.st_mode & _OTHERS_WRITE:
        return
    if ours:
        os.fchmod(folder, stat.S_IMODE(status.st_mode) & ~_OTHERS_WRITE)
    elif not status.st_mode & stat.S_ISVTX:  # in /tmp and the like, nobody can replace what is another's
        raise _unusable(shown, "can be written to by others, who could replace what is in it")


def _unusable(path: Path, why: str) -> DependencyError:
    return DependencyError(
        f"the workspace cannot be used: {path} {why}",
        hint="A plan is applied in the folder where it was made. ORCHESTRATE_WORKSPACES names the folder of new plans: "
        "one of your own, below folders that only you and root may write to.",
    )
