"""A push to an emulated CodeCommit repository raises an event for each ref that it has changed.

Source: "Monitoring CodeCommit events in Amazon EventBridge" (CodeCommit user guide), referenceCreated,
referenceUpdated and referenceDeleted.
"""

from __future__ import annotations

from typing import Any

from orchestrate_sandbox.pipeline import repositories
from orchestrate_sandbox.pipeline.bus import Happening, publish
from orchestrate_sandbox.pipeline.repositories import Location, Push, RefChange

_TYPES = {"refs/heads/": "branch", "refs/tags/": "tag"}


def received(push: Push) -> str:
    """What git shows to whoever pushes: which rules each change has set off."""
    from moto.codecommit.models import codecommit_backends

    location = Location(push.account, push.region, push.repository)
    found = codecommit_backends[push.account][push.region].repositories.get(push.repository)
    if found is None:
        return "The sandbox no longer has this repository.\n"
    lines = [_raised(location, found.repository_metadata, change) for change in repositories.changes(location, push)]
    return "".join(lines)


def _raised(location: Location, metadata: dict[str, Any], change: RefChange) -> str:
    happening = Happening(
        account=location.account,
        region=location.region,
        source="aws.codecommit",
        detail_type="CodeCommit Repository State Change",
        resources=[metadata["Arn"]],
        detail=_detail(location, metadata, change),
    )
    rules = publish(happening)
    reaction = f"rules: {', '.join(rules)}" if rules else "no rule is for it"
    return f"Sandbox: {happening.detail['event']} {change.ref}; {reaction}\n"


def _detail(location: Location, metadata: dict[str, Any], change: RefChange) -> dict[str, Any]:
    prefix = next((prefix for prefix in _TYPES if change.ref.startswith(prefix)), "refs/")
    detail = {
        "event": _event(change),
        "repositoryName": metadata["repositoryName"],
        "repositoryId": metadata["repositoryId"],
        "referenceType": _TYPES.get(prefix, "other"),
        "referenceName": change.ref.removeprefix(prefix),
        "referenceFullName": change.ref,
        "callerUserArn": f"arn:aws:iam::{location.account}:user/sandbox",
    }
    commits = {"commitId": change.after or change.before, "oldCommitId": change.before if change.after else None}
    return detail | {name: commit for name, commit in commits.items() if commit is not None}


def _event(change: RefChange) -> str:
    if change.before is None:
        return "referenceCreated"
    return "referenceDeleted" if change.after is None else "referenceUpdated"
