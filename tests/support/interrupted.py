"""What an interrupted run leaves, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.model.ledger.ledger import Draft, Kind
from tests.support.projects import E2eProject
from tests.support.stages import Stand

LEASE = {"ORCHESTRATE_LEASE_SECONDS": "2"}
SCOPES = ("global", "us-east-1", "eu-central-1")


def state(serial: int, lineage: str = "line", **more: Any) -> bytes:
    document = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage}
    return json.dumps({**document, "outputs": {}, "resources": [], "check_results": None, **more}).encode()


def record(there: Stand, kind: Kind, digest: str | None = None, **detail: Any) -> None:
    ctx = there.ctx
    draft = Draft(kind, str(ctx.release.tag), ctx.release.commit, "ann", digest, detail)
    ctx.chain.append(lambda _: draft)


def workspace(there: Stand, project: E2eProject) -> Path:
    target = there.ctx.release.target
    return project.workspace(target.team, target.scope)


def store(there: Stand, content: bytes) -> None:
    there.ctx.states.put(there.ctx.release.target.backend.key, content)
