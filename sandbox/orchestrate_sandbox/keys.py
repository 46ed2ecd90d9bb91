"""The keys of one sandbox, drawn anew for each: who does not know them does nothing in it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field

KEY_ID = "sandbox"
"""The access key of the tooling account, in the environment that a sandbox hands out."""
SERVICES_ID = "sandbox-services"
"""The access key of the emulated services, which act in any account."""
SECRET_HEADER = "x-sandbox-secret"  # noqa: S105  (its name)
"""Carries the secret where a program cannot sign: to the paths that are no part of AWS."""


@dataclass(frozen=True)
class SandboxKeys:
    """`secret` is handed out to whoever starts the sandbox; `services` never leaves its process."""

    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)
    services: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    def push_token(self, account: str, region: str, repository: str) -> str:
        """With it a repository's hook tells of pushes to that repository, and can do nothing else."""
        told = json.dumps(["push", account, region, repository]).encode()
        return hmac.new(self.services.encode(), told, hashlib.sha256).hexdigest()


def for_clients(key_id: str, secret: str) -> dict[str, str]:
    """By the names of boto3's parameters."""
    return {"aws_access_key_id": key_id, "aws_secret_access_key": secret}
