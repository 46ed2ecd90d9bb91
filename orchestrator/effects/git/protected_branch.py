"""The protected branch as the remote has it: nothing that is only in this clone decides a release."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.effects.git.repository import Repository
from orchestrator.errors import DependencyError, InvalidInput

_REMOTE = "origin"
_LOCAL = "refs/heads/main"


def protected_commit(repository: Repository, tell: Callable[[str], None]) -> str:
    """Its tip. Where the repository has no remote at all, the local main is that branch, which is told.

    Raises DependencyError where the remote does not answer or its tip is not here yet.
    """
    remotes = repository.remotes()
    if not remotes:
        tell("Note: this repository has no remote, so its own branch main is the protected branch.")
        return repository.commit(_LOCAL)
    if _REMOTE not in remotes:
        raise InvalidInput(
            f"the rules come from the protected branch of the remote {_REMOTE}, and there is none of that name",
            hint=f"Give the remote that holds the protected branch this name: git remote rename NAME {_REMOTE}",
        )
    refs = _asked(repository)
    tip = refs.get("HEAD") or refs.get(_LOCAL)
    if tip is None:
        raise InvalidInput(f"the remote {_REMOTE} has no branch main, nor another one that its HEAD names")
    if not repository.holds_commit(tip):
        raise DependencyError(
            f"the protected branch of {_REMOTE} is at {tip[:12]}, a commit that is not here yet",
            hint=f"Run `git fetch {_REMOTE}`.",
        )
    return repository.commit(tip)


def _asked(repository: Repository) -> Mapping[str, str]:
    try:
        return repository.remote_refs(_REMOTE, "HEAD", _LOCAL)
    except DependencyError as error:
        raise DependencyError(
            f"the remote {_REMOTE} cannot be asked for the tip of the protected branch: {error.message}",
            hint="What the remote says decides a release. Offline, `orchestrate show` and `orchestrate check` work.",
        ) from None
