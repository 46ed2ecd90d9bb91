"""Whether a commit contains another one, by the parents that the commits themselves name."""

from __future__ import annotations

from orchestrator.effects.git.command import GitCommand
from orchestrator.effects.git.objects import Objects


def leads_to(git: GitCommand, objects: Objects, commit: str, of: str) -> bool:
    """Whether a way from `of` to `commit` that git claims is one. Git itself does not hash the commits it walks."""
    between = {of, *git.run("rev-list", "--ancestry-path", f"{commit}..{of}").split("\n")}
    waiting = [of]
    while waiting:
        here = waiting.pop()
        between.discard(here)
        parents = objects.parents(here)
        if commit in parents:
            return True
        waiting += [parent for parent in parents if parent in between]
    return False
