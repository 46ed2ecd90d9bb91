"""The plan receipt: what was planned, bound by one digest.

The receipt is stored as its canonical JSON; its digest is the SHA-256 of exactly these bytes, so that anyone can
check it with `sha256sum`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from orchestrator.errors import Refused
from orchestrator.model.canonical import canonical_json, sha256
from orchestrator.model.plan import Change, Summary

CheckState: TypeAlias = Literal["passed", "failed", "not run"]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the target is: all that decides what is changed, and by whom."""

    target: str
    account: str
    region: str
    partition: str
    root: str
    bucket: str
    key: str
    backend_region: str
    plan_role: str
    apply_role: str


class Artefact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stored archive of the plan file and of the files that planning made."""

    bucket: str
    key: str
    sha256: str
    size: int


class StateVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state that the plan was made against; lineage is empty where there was none yet."""

    lineage: str
    serial: int


class PlanReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All times are UTC in ISO 8601."""

    version: Literal[1]
    tag: str
    tag_object: str
    commit: str
    rules_commit: str
    place: Place
    var_files: dict[str, str]
    """Path to SHA-256, in the order in which they apply."""
    program: str
    """Such as `terraform 1.11.4`."""
    lock_file: str | None
    """SHA-256 of .terraform.lock.hcl, None where the root needs no provider."""
    checks: dict[str, CheckState]
    artefact: Artefact
    plan_json: str
    state: StateVersion
    summary: Summary
    changes: bool
    resources: tuple[Change, ...]
    """What happens to each resource and output; sensitive values never stand in it."""
    resources_after: int
    """How many managed resources stand when the plan has been applied."""
    protected: tuple[str, ...]
    """Protected resources that it destroys or replaces; applying it needs an override."""
    workspace: str
    """Absolute path of the workspace; the plan is applied at the same one."""
    planned_at: str
    expires_at: str
    planned_by: str

    def encode(self) -> bytes:
        return canonical_json(self)

    @property
    def digest(self) -> str:
        return sha256(self.encode())

    def expired(self, now: datetime) -> bool:
        return now >= datetime.fromisoformat(self.expires_at)


def decode(content: bytes, digest: str) -> PlanReceipt:
    """Raises Refused where the content is not the one that the digest was taken of."""
    if sha256(content) != digest:
        raise Refused(
            f"the stored receipt is not the one with digest {digest[:16]}: somebody changed it",
            hint="Plan again; find out who wrote to the release bucket.",
        )
    try:
        return msgspec.json.decode(content, type=PlanReceipt)
    except msgspec.ValidationError as error:
        raise Refused(f"the stored receipt {digest[:16]} cannot be read: {error}", hint="Plan again.") from None


def receipt_key(target_id: str, digest: str) -> str:
    """Where in the release bucket a receipt is kept."""
    return f"receipts/{target_id}/{digest}.json"


def artefact_key(target_id: str, digest: str) -> str:
    return f"plans/{target_id}/{digest}.tar"
