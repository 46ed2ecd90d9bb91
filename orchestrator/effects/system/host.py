"""What surrounds this process: the environment variables it was started with, the interpreter, the machine."""

from __future__ import annotations

import os
import sys

EVENTS = "ORCHESTRATE_EVENTS"
"""Names the file in which this process tells the `orchestrate` that started it how far it has come."""


def environment() -> dict[str, str]:
    """A copy, as it is now."""
    return dict(os.environ)


def ourselves() -> tuple[str, ...]:
    """The beginning of a command that runs this very `orchestrate`, whatever stands in the current folder."""
    return (sys.executable, "-P", "-m", "orchestrator")


def speak_utf8() -> None:
    """In a locale of another character set begins anew: git, Terraform and all that we write have names in UTF-8."""
    if sys.getfilesystemencoding() != "utf-8":
        program, *arguments = ourselves()
        os.execv(program, [program, "-X", "utf8", *arguments, *sys.argv[1:]])  # noqa: S606 - ourselves


def processors() -> int:
    return os.cpu_count() or 1
