"""Releases a state lock whose holder is gone."""

from __future__ import annotations

import re

from orchestrator.effects.workspace import opened, place_of
from orchestrator.errors import UsageError
from orchestrator.stages import prepare
from orchestrator.stages.surroundings import Surroundings

_LOCK_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def unlock(at: Surroundings, lock_id: str) -> None:
    """Terraform itself compares the id with the lock that it finds, so that no other lock is released.

    Refuses (Locked) while a run of this target is under way on this machine.
    """
    if _LOCK_ID.fullmatch(lock_id) is None:
        raise UsageError("a lock id looks like 8a1b2c3d-0000-1111-2222-333344445555", hint="The refused run told it.")
    at.identify()
    with opened(place_of(at.release.rules.project, at.release.target, at.env)) as workspace:
        root = prepare.export(at, workspace)
        terraform = prepare.terraform(at, workspace, root, lambda: False)
        terraform.init()
        terraform.unlock(lock_id)
