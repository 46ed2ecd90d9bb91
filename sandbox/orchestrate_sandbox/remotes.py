"""The git remotes of a sandbox: its CodeCommit repositories, as git reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrate_sandbox.private import Reachable, post
from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.text import decoding

REMOTES_PATH = "/sandbox-api/remotes"


@dataclass(frozen=True)
class Remote:
    """`url` is what `git push` takes."""

    name: str
    account: str
    region: str
    url: str


def remotes(sandbox: Reachable) -> list[Remote]:
    """Raises DependencyError where the sandbox does not answer."""
    return decoding.decode(post(sandbox, REMOTES_PATH, b""), list[Remote])


def chosen(found: Sequence[Remote], name: str | None, region: str) -> Remote:
    """The one of that name, or the only one, in that Region."""
    here = [remote for remote in found if remote.region == region and name in (None, remote.name)]
    if len(here) == 1:
        return here[0]
    if len(here) > 1:
        names = ", ".join(remote.name for remote in here)
        raise InvalidInput(f"the sandbox has several repositories in {region}: {names}", hint="Name one: --name NAME.")
    what = f"no repository {name}" if name else "no repository"
    raise Refused(
        f"the sandbox has {what} in {region}",
        hint="`orchestrate tooling apply`, in the sandbox's environment, makes the one that the configuration names.",
    )
