"""The plan receipt: what was planned, bound by one digest.

The receipt is stored as its canonical JSON; its digest is the SHA-256 of exactly these bytes, so that anyone can
check it with `sha256sum`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from orchestrator.errors import Refused
from orchestrator.model.release.rollback import Rollback
from orchestrator.model.release.signature import Signed
from orchestrator.model.rules.target import Target
from orchestrator.model.terraform.plan import Change, Summary
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import canonical_json, sha256

CheckState: TypeAlias = Literal["passed", "failed", "not run"]

# Amazon S3 refuses requests whose clock is further off (error RequestTimeTooSkewed).
_CLOCKS_MAY_DIFFER = timedelta(minutes=15)

_LATER = frozenset({"drift", "failed_checks", "modules", "warnings"})
_LATER_COUNTS = frozenset({"import", "move", "forget", "outputs"})


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


def _of(description: str) -> Meta:
    return Meta(description=description)


class PlanReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """What was planned. All times are UTC in ISO 8601, all hashes SHA-256 in hexadecimal."""

    version: Annotated[Literal[1], _of("Of this schema; a receipt of another version is not applied.")]
    tag: str
    tag_object: Annotated[str, _of("The id of the tag object; of the commit, where the tag has none.")]
    commit: str
    rules_commit: Annotated[str, _of("The commit of the protected branch whose rules judged the plan.")]
    place: Place
    var_files: Annotated[dict[str, str], _of("Path to hash of each variable file, in the order in which they apply.")]
    program: Annotated[str, _of("Such as `terraform 1.11.4`.")]
    lock_file: Annotated[str | None, _of("Hash of .terraform.lock.hcl; null where the root needs no provider.")]
    providers: Annotated[dict[str, str], _of("Address to version of each provider; the lock file holds their hashes.")]
    checks: Annotated[dict[str, CheckState], _of("How each check of this commit had ended when it was planned.")]
    artefact: Artefact
    plan_json: Annotated[str, _of("Hash of what `terraform show -json` says about the plan.")]
    state: StateVersion
    summary: Summary
    changes: Annotated[bool, _of("Terraform's own verdict; true also where only outputs change.")]
    resources: Annotated[
        tuple[Change, ...], _of("What happens to each resource and output; sensitive values never stand in it.")
    ]
    resources_after: Annotated[int, _of("How many managed resources stand when the plan has been applied.")]
    protected: Annotated[
        tuple[str, ...],
        _of("What it destroys or replaces and is protected; in a rollback, all that it does. It needs an override."),
    ]
    rollback: Annotated[Rollback | None, _of("What it goes back from and to, by the ledger; null where it does not.")]
    workspace: Annotated[str, _of("Absolute path of the workspace; the plan is applied at the same one.")]
    planned_at: str
    expires_at: str
    planned_by: Annotated[str, _of("ARN of the caller, from STS.")]
    signed: Annotated[Signed | None, _of("The tag's verified signature; null where the environment asks for none.")]
    tagger: Annotated[str | None, _of("The mail address that the tag itself claims to be of; not verified.")]
    submitted_by: Annotated[str | None, _of("Who started the pipeline, as that was told; not verified.")]
    drift: Annotated[tuple[Change, ...], _of("What the refresh found changed outside of Terraform.")] = ()
    failed_checks: Annotated[tuple[str, ...], _of("Checks in the code that did not pass, with their text.")] = ()
    warnings: Annotated[tuple[str, ...], _of("What Terraform warned of while it planned.")] = ()
    modules: Annotated[
        dict[str, str], _of("Address to hash of each module from outside the commit; left out where there is none.")
    ] = {}

    def encode(self) -> bytes:
        """What came later than the first receipts is left out where it says nothing: their digests stay."""
        plain = msgspec.to_builtins(self)
        counts = plain["summary"]
        later = {name: plain.pop(name) for name in _LATER}
        told = {kind: number for kind, number in counts.items() if kind not in _LATER_COUNTS or number}
        return canonical_json({**plain, **{name: value for name, value in later.items() if value}, "summary": told})

    @cached_property
    def digest(self) -> str:
        return sha256(self.encode())

    def expired(self, now: datetime) -> bool:
        return now >= datetime.fromisoformat(self.expires_at)

    def untimely_reason(self, now: datetime) -> str | None:
        """Why it cannot be used now. A plan of the future would live longer by as much as a clock was wrong."""
        if self.expired(now):
            return f"the plan {self.digest[:16]} expired at {self.expires_at}"
        if datetime.fromisoformat(self.planned_at) > now + _CLOCKS_MAY_DIFFER:
            return (
                f"the plan {self.digest[:16]} was made at {self.planned_at}, which is yet to come: the clock there was "
                "wrong, or the one here is"
            )
        return None


def decode(content: bytes, digest: str) -> PlanReceipt:
    """Raises Refused where the content is not the one that the digest was taken of."""
    if sha256(content) != digest:
        raise Refused(
            f"the stored receipt is not the one with digest {digest[:16]}: somebody changed it",
            hint="Plan again; find out who wrote to the release bucket.",
        )
    try:
        return decoding.decode(content, PlanReceipt)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(f"the stored receipt {digest[:16]} cannot be read: {error}", hint="Plan again.") from None


def place_of(target: Target) -> Place:
    """The part of a receipt that the rules alone decide."""
    return Place(
        target=target.id,
        account=target.account,
        region=target.region,
        partition=target.partition,
        root=target.root,
        bucket=target.backend.bucket,
        key=target.backend.key,
        backend_region=target.backend.region,
        plan_role=target.roles.plan,
        apply_role=target.roles.apply,
    )


def receipt_key(target_id: str, digest: str) -> str:
    """Where in the release bucket a receipt is kept."""
    return f"receipts/{target_id}/{digest}.json"


def artefact_key(target_id: str, digest: str) -> str:
    return f"plans/{target_id}/{digest}.tar"


def rollback_detail(receipt: PlanReceipt) -> dict[str, Any]:
    """What the entries about a plan hold where it is a rollback."""
    return {} if receipt.rollback is None else {"rollback": msgspec.to_builtins(receipt.rollback)}
