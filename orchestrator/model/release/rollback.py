"""Going back to what ran before, by the ledger alone: to which release, and under which version?

A release is a rollback when its commit was applied to the same target before and another one has been since. That is
so whoever made the tag and whatever its message says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.rules.tag import Tag, Version
from orchestrator.model.terraform.state_file import is_older

_SHOWN = 8


class Rollback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`left` is the tag of the release that is undone, `to` that of the one whose commit is released again."""

    left: str
    to: str


def standing(history: History, tag: str | None = None) -> Entry | None:
    """What was applied last, or begun to be; what `tag` itself began and did not finish is not counted."""
    for entry in history.entries:
        if entry.kind == "applied" or (entry.kind in ("applying", "failed") and entry.tag != tag):
            return entry
    return None


def rollback_of(history: History, tag: str, commit: str) -> Rollback | None:
    """What releasing this commit under this tag would go back from and to; None where it goes forward."""
    left = standing(history, tag)
    if left is None or left.commit == commit:
        return None
    to = next((entry for entry in _applied(history) if entry.commit == commit), None)
    return None if to is None else Rollback(left.tag, to.tag)


def goal(history: History, wanted: Version | None) -> Entry:
    """The release to go back to: of version `wanted`, else the newest that ran and is not known to be bad.

    Known to be bad is what a rollback has left before. Raises Refused where there is none.
    """
    left = standing(history)
    if left is None:
        raise Refused("nothing has been applied to this target, so there is nothing to go back from")
    others = [entry for entry in _applied(history) if entry.commit != left.commit]
    if wanted is not None:
        return _wanted(_applied(history), left, wanted)
    bad = _rolled_back_from(history)
    good = [entry for entry in others if entry.commit not in bad and _is_verified(history, entry)]
    if good:
        return good[0]
    raise Refused(
        f"no release before {left.tag} is known to be good: {_told(others)}",
        hint="--to VERSION chooses one of them." if others else "Fix it with a new version.",
    )


def _wanted(applied: list[Entry], left: Entry, wanted: Version) -> Entry:
    found = next((entry for entry in applied if Tag.parse(entry.tag).version == wanted), None)
    if found is None:
        raise Refused(
            f"version {wanted} has never been applied to this target", hint=f"These have: {_versions(applied)}."
        )
    if found.commit == left.commit:
        raise Refused(f"{left.tag} is the same commit as {found.tag}: there is nothing to go back to")
    return found


def _applied(history: History) -> list[Entry]:
    return [entry for entry in history.entries if entry.kind == "applied"]


def _rolled_back_from(history: History) -> set[str | None]:
    """Commits that a rollback has left and that nobody has released again since."""
    bad: set[str | None] = set()
    since: set[str] = set()
    for entry in _applied(history):
        rollback = entry.detail.get("rollback")
        if rollback is not None:
            bad |= {_commit_of(history, rollback["left"])} - since
        since.add(entry.commit)
    return bad


def _commit_of(history: History, tag: str) -> str | None:
    return next((entry.commit for entry in history.entries if entry.tag == tag), None)


def _is_verified(history: History, applied: Entry) -> bool:
    """`verify` passed after this apply, or there was nothing to verify."""
    if "verify_url" not in applied.detail.get("outputs", {}):
        return True
    return history.newest("verified", digest=applied.digest) is not None


def _told(others: list[Entry]) -> str:
    if not others:
        return "no other commit has been applied"
    return f"{_versions(others)} was not verified, or has been rolled back from"


def _versions(entries: Iterable[Entry]) -> str:
    names = list(dict.fromkeys(str(Tag.parse(entry.tag).version) for entry in entries))
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") if names else "none"


def newest_version(history: History) -> Version:
    """Of all that were applied or begun; a rollback must be newer. ValueError where there is none."""
    begun = [entry for entry in history.entries if entry.kind in ("applying", "applied", "failed")]
    return max(Tag.parse(entry.tag).version for entry in begun)


def following(version: Version) -> Iterator[Version]:
    """Newer versions, nearest first: 1.2.1 and on after 1.2; 1.3-rc.2 and on after 1.3-rc.1, so that 1.3 stays free."""
    major, minor, patch = version.numbers
    stem, last = f"{major}.{minor}.", patch
    if version.candidate is not None:
        stem, last = f"{version.text.partition('-')[0]}-rc.", version.candidate
    return (Version.parse(f"{stem}{number}") for number in count(last + 1))


def downgrades(locked: Mapping[str, str], used: Mapping[str, str]) -> list[str]:
    """Providers that are older in the old commit than those that wrote the state last, for people."""
    return [
        f"{address} goes back from {used[address]} to {version}"
        for address, version in sorted(locked.items())
        if address in used and is_older(version, used[address])
    ]
