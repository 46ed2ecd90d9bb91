"""Which git there is."""

from __future__ import annotations

from orchestrator.effects.system import process
from orchestrator.errors import DependencyError

_PATIENCE = 30.0  # seconds


def git_version() -> str:
    """Such as `2.39.5`; DependencyError where there is no git."""
    try:
        done = process.run(["git", "--version"], timeout=_PATIENCE)
    except DependencyError as failure:
        raise DependencyError(failure.message, hint="Install git, and put it on the PATH.") from None
    return done.stdout.removeprefix("git version ").partition(" ")[0].strip()
