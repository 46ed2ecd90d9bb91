"""What ends with a reset, and with the server."""

from __future__ import annotations

import sys

from orchestrate_sandbox.pipeline import aws, place, repositories, work


def end_what_runs() -> None:
    """Builds are processes of their own. Nothing is imported for it: what was never used has nothing that runs."""
    work.forget_all()
    if executions := sys.modules.get("orchestrate_sandbox.pipeline.executions"):
        executions.cancel_all()
    if builds := sys.modules.get("orchestrate_sandbox.pipeline.builds"):
        builds.stop_all()


def forget() -> None:
    """After the backends are empty."""
    aws.forget_all()
    repositories.delete_all()
    place.as_they_were()
