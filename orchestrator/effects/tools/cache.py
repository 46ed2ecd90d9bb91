"""The folder of this user's that keeps what is costly to make again: tools, their versions, CLI configurations.

It holds programs that run with a release's credentials, so nobody else may write in it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import SurroundingsFailed


def cache_folder(env: Mapping[str, str]) -> Path:
    """$ORCHESTRATE_CACHE, else `orchestrate` in $XDG_CACHE_HOME or ~/.cache. It need not exist.

    A relative $XDG_CACHE_HOME is ignored, as the XDG Base Directory Specification says.
    """
    if env.get("ORCHESTRATE_CACHE"):
        return Path(env["ORCHESTRATE_CACHE"]).absolute()
    base = Path(env.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else home(env) / ".cache") / "orchestrate"


def home(env: Mapping[str, str]) -> Path:
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def private_folder(path: Path) -> Path:
    """Creates the folder (mode 0700) where it is missing. Raises SurroundingsFailed where others may write in it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SurroundingsFailed(f"cannot create {path}: {error.strerror}", hint=_ELSEWHERE) from None
    refuse_if_shared(path)
    return path


def refuse_if_shared(path: Path) -> None:
    """Raises SurroundingsFailed unless the folder is ours and nobody else may write in it."""
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise SurroundingsFailed(f"{path} belongs to another user, who could replace programs in it", hint=_ELSEWHERE)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SurroundingsFailed(
            f"others may write in {path}, so they could replace programs in it",
            hint=f"Look through what it holds and run `chmod go-w {path}`, or remove it.",
        )


_ELSEWHERE = "Set ORCHESTRATE_CACHE to a folder of your own."


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old text or the new one, whoever else writes at the same time. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
