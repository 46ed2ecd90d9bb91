"""May a stored plan still be applied? As the ledger of its target has it."""

from __future__ import annotations

from orchestrator.model.ledger.ledger import Entry, History
from orchestrator.model.rules.tag import Tag

MAKE_NEW = "A tag is released as it was first seen, or not at all: make a new version."
"""What to do about a tag that was moved."""


def repointed(tag: str, seen: tuple[str, str], now: tuple[str, str]) -> str | None:
    """Why a tag is not what it was when it was first seen: its object and its commit then and now."""
    if seen == now:
        return None
    return (
        f"the tag {tag} has been moved: it was first seen as commit {seen[1][:12]} (tag object {seen[0][:12]}), "
        f"now it is {now[1][:12]} ({now[0][:12]})"
    )


def moved(history: History, tag: str, commit: str) -> str | None:
    """Why a tag is not what it was, whatever its pin says: the chain tells of which commit it was planned before."""
    before = history.newest("planned", "applying", "applied", tag=tag)
    if before is None or before.commit == commit:
        return None
    return (
        f"the tag {tag} has been moved: at {before.at} it was planned as commit {before.commit[:12]}, now it is "
        f"{commit[:12]}"
    )


def withdrawn_reason(history: History, tag: str, digest: str) -> str | None:
    """Why the plan counts no more although nobody applied it: each new plan of a target withdraws the one before."""
    newest = history.newest("planned")
    if newest is None:
        return f"the plan {digest[:16]} of {tag} is not in the ledger"
    if newest.digest == digest:
        return None
    return (
        f"the plan {digest[:16]} of {tag} has been withdrawn: a newer plan of this target, of {newest.tag}, was stored "
        f"at {newest.at} by {newest.by}"
    )


def unapplied(history: History, tag: str) -> str | None:
    """The digest of the newest plan of a tag, as long as nobody has begun to apply it."""
    newest = history.newest("planned", tag=tag)
    if newest is None or history.newest("applying", "applied", digest=newest.digest) is not None:
        return None
    return newest.digest


def withdraws(history: History) -> str | None:
    """The digest of the plan that a new one withdraws; None where none is waiting."""
    newest = history.newest("planned", "applying", "applied", "rejected")
    return newest.digest if newest is not None and newest.kind == "planned" else None


def superseded(history: History, tag: Tag) -> str | None:
    """Why this version comes too late: a newer one has been applied. Going back is a release under a new version."""
    newer = [(found.version, entry) for entry, found in _applied(history) if found.version > tag.version]
    if not newer:
        return None
    version, entry = max(newer, key=lambda each: each[0])
    return f"{tag} is older than {version}, which was applied to this target at {entry.at} by {entry.by}"


def _applied(history: History) -> list[tuple[Entry, Tag]]:
    return [(entry, Tag.parse(entry.tag)) for entry in history.entries if entry.kind == "applied"]
