"""A started execution as text and as values for JSON."""

from __future__ import annotations

from typing import Any

from orchestrator.stages.pipeline.submit import Submitted


def fields(done: Submitted) -> dict[str, Any]:
    release = done.release
    return {
        "tag": str(release.tag),
        "commit": release.commit,
        "target": release.target.id,
        "pipeline": done.pipeline,
        "execution": done.execution,
        "source": done.source,
    }


def text(done: Submitted) -> str:
    release = done.release
    if done.execution is None:
        return f"{release.tag} ({release.commit[:12]}) waits until {done.pipeline} has room for it"
    return f"{release.tag} ({release.commit[:12]}) is under way in {done.pipeline}: execution {done.execution}"
