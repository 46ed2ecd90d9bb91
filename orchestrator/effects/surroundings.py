"""What surrounds this process: the environment variables it was started with, the interpreter, the machine."""

from __future__ import annotations

import os
import sys


def environment() -> dict[str, str]:
    """A copy, as it is now."""
    return dict(os.environ)


def ourselves() -> tuple[str, ...]:
    """The beginning of a command that runs this very `orchestrate`, whatever stands in the current folder."""
    return (sys.executable, "-P", "-m", "orchestrator")


def processors() -> int:
    return os.cpu_count() or 1
