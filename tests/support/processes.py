"""Processes that tests look at and wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], object], what: str, *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def working_in(folder: Path) -> list[int]:
    """The processes that work in a folder (Linux)."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                inside = (process / "cwd").resolve().is_relative_to(folder)
            except OSError:
                continue
            if inside:
                found.append(int(process.name))
    return found
