"""What a sandbox holds when it starts, and what its server answers: the values that pass between the two processes.

Plain data, so that a test can make a layout by hand and the server needs no configuration files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from orchestrator.model.text import decoding


@dataclass(frozen=True)
class RoleSpec:
    """A role of a workload account which trusts the tooling account.

    `access` says what its inline policy allows. Policies only count where IAM enforcement has been switched on; the
    trust, external id included, always does.
    """

    account: str
    name: str
    access: Literal["read", "admin"]
    external_id: str | None = None


@dataclass(frozen=True)
class SandboxLayout:
    """`tooling_account` is the account of the credentials that the sandbox's environment holds.

    `accounts` are workload accounts, beside those that `roles` names.
    """

    tooling_account: str
    region: str
    roles: tuple[RoleSpec, ...] = ()
    accounts: tuple[str, ...] = ()

    def workload_accounts(self) -> tuple[str, ...]:
        return tuple(sorted({*self.accounts, *(role.account for role in self.roles)} - {self.tooling_account}))


def encode(layout: SandboxLayout) -> bytes:
    """One line of JSON, without the newline."""
    return msgspec.json.encode(layout)


def decode(data: bytes) -> SandboxLayout:
    """Raises msgspec.ValidationError or msgspec.DecodeError for anything that is not a layout."""
    return decoding.decode(data, SandboxLayout)


@dataclass(frozen=True)
class Address:
    """What a server says when it is ready: its process and its two addresses (`http://127.0.0.1:<port>`)."""

    pid: int
    endpoint: str
    proxy: str


RESET_PATH = "/moto-api/reset"
"""POST empties the emulator and fills it again; with a body, from that layout instead of the last one."""

ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
"""As AWS Organizations makes it in every member account: an administrator, trusted by the tooling account."""
