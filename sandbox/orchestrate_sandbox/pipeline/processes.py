"""Ends the processes of a build, all of them at once, as the end of its container does in AWS."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def end_all(root: int | None, marker: str) -> None:
    """Kills `root`, if it still runs, and what the build has started, whatever process group that is in now.

    `marker` (`NAME=value`) stands in the environment of every process of this build and of no other; where the
    system shows no environments, what descends from `root` is killed.
    """
    roots = [] if root is None else [root]
    members = _marked(marker.encode()) if _PROC.is_dir() else _descendants(set(roots))
    # The root first: alive, it would act on the end of what it waits for.
    for pid in (*roots, *(members - {*roots, os.getpid()})):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _marked(marker: bytes) -> set[int]:
    found = set()
    for folder in _PROC.iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal() and marker in (folder / "environ").read_bytes().split(b"\0"):
                found.add(int(folder.name))
    return found


def _descendants(roots: set[int]) -> set[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listed.splitlines())}
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in roots | found} - found:
        found |= more
    return found
