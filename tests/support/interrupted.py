"""What an interrupted run leaves, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from orchestrator.model.ledger.ledger import Draft, Kind
from tests.support.projects import Project
from tests.support.stages import Stand

LEASE = {"ORCHESTRATE_LEASE_SECONDS": "2"}
SCOPES = ("global", "us-east-1", "eu-central-1")


def state(serial: int, lineage: str = "line", **more: Any) -> bytes:
    document = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage}
    return json.dumps({**document, "outputs": {}, "resources": [], "check_results": None, **more}).encode()


def record(there: Stand, kind: Kind, digest: str | None = None, **detail: Any) -> None:
    at = there.at
    draft = Draft(kind, str(at.release.tag), at.release.commit, "ann", digest, detail)
    at.ledger.append(at.release.target.id, lambda _: draft)


def workspace(there: Stand, project: Project) -> Path:
    target = there.at.release.target
    return project.workspace(target.team, target.scope)


def store(there: Stand, content: bytes) -> None:
    there.at.states.put(there.at.release.target.backend.key, content)
