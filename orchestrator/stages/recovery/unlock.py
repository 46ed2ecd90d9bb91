"""Releases a state lock that a person knows to be nobody's; `recover` releases those that it can show to be so."""

from __future__ import annotations

from orchestrator.effects.ledger.lease import Holder, here
from orchestrator.effects.terraform.workspace import opened, place_of
from orchestrator.errors import StageFailed, UsageError
from orchestrator.model.release.recovery import LOCK_ID
from orchestrator.stages.context.context import ReleaseContext
from orchestrator.stages.recovery.interrupted import state_locks


def unlock(ctx: ReleaseContext, lock_id: str) -> None:
    """Releases the lock of that id and no other.

    Raises Locked while a run of this target is under way on this machine, or holds the target's lease anywhere.
    """
    if LOCK_ID.fullmatch(lock_id) is None:
        raise UsageError("a lock id looks like 8a1b2c3d-0000-1111-2222-333344445555", hint="The refused run told it.")
    release, place = ctx.release, here(ctx.env)
    holder = Holder(ctx.identify(), str(release.tag), place.where, place.build)
    with (
        ctx.leases.held(release.target.id, holder, ctx.progress),
        opened(place_of(release.rules.project, release.target, ctx.env)),
    ):
        locks = state_locks(ctx.aws, release.rules, release.target)
        found = locks.found()
        released = [lock for lock in found if lock.id == lock_id and locks.release(lock)]
    if not released:
        held = f": it is held by {found[0]}" if found else ", and no other holds the state"
        raise StageFailed(f"there is no lock {lock_id}{held}")
