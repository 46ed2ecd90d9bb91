"""What tests ask of the emulator itself."""

from __future__ import annotations

from orchestrator.sandbox.layout import RESET_PATH
from orchestrator.sandbox.private import post
from orchestrator.sandbox.process import Sandbox


def reset(sandbox: Sandbox) -> None:
    """Empties it, but for what its layout names."""
    post(sandbox.endpoint + RESET_PATH, b"")


def enforce_policies(sandbox: Sandbox, after: str) -> None:
    """IAM policies count after so many requests; `inf` is never."""
    post(f"{sandbox.endpoint}/moto-api/reset-auth", after.encode())
