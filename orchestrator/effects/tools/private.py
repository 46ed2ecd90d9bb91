"""Folders that hold what runs with a release's credentials: nobody else may write in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orchestrator.errors import DependencyError


def private_folder(path: Path) -> Path:
    """Creates the folder (mode 0700) where it is missing. Raises DependencyError where others may write in it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DependencyError(f"cannot create {path}: {error.strerror}", hint=_ELSEWHERE) from None
    refuse_if_shared(path)
    return path


def refuse_if_shared(path: Path) -> None:
    """Raises DependencyError unless the folder is ours and nobody else may write in it."""
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise DependencyError(f"{path} belongs to another user, who could replace programs in it", hint=_ELSEWHERE)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DependencyError(
            f"others may write in {path}, so they could replace programs in it",
            hint=f"Look through what it holds and run `chmod go-w {path}`, or remove it.",
        )


_ELSEWHERE = "Set ORCHESTRATE_CACHE to a folder of your own."
