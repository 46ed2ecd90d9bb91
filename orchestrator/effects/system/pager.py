"""Shows a long text in the pager of whoever reads it, by git's conventions (git documentation, "GIT_PAGER")."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from orchestrator.effects.system import process
from orchestrator.errors import DependencyError

# As git sets them; and none of less's own ways to run another program.
_SETTINGS = {"LESS": "FRX", "LV": "-c"}
_SAFE = {"LESSSECURE": "1"}


def page(text: str, env: Mapping[str, str]) -> bool:
    """False where there is no pager, or it is not to be used.

    `core.pager` is not asked: a repository that is only looked at must not say which program runs.
    """
    command = next((env[name] for name in ("GIT_PAGER", "PAGER") if name in env), "less")
    words = shlex.split(command)
    if not words or words == ["cat"]:
        return False
    try:
        process.show(words, text, {**_SETTINGS, **env, **_SAFE})
    except DependencyError:
        return False
    return True
