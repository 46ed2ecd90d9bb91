"""What a sandbox holds when it starts, and what its server answers: the values that pass between the two processes.

Plain data, so that a test can make a layout by hand and the server needs no configuration files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from orchestrator.model.text import decoding

_ACCOUNT = re.compile("[0-9]{12}")
_REGION = re.compile("[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}")
_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def _check(form: re.Pattern[str], what: str, text: str) -> None:
    """A ValueError, which a decoder tells as its own."""
    if form.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no {what}")


@dataclass(frozen=True)
class RoleSpec:
    """A role of a workload account, or of the tooling account itself, which trusts the tooling account.

    `access` says what its inline policy allows. Policies only count where IAM enforcement has been switched on; the
    trust, external id included, always does.
    """

    account: str
    name: str
    access: Literal["read", "admin"]
    external_id: str | None = None

    def __post_init__(self) -> None:
        _check(_ACCOUNT, "account", self.account)
        _check(_ROLE, "role", self.name)


@dataclass(frozen=True)
class SandboxLayout:
    """`tooling_account` is the account of the credentials that the sandbox's environment holds.

    `accounts` are workload accounts, beside those that `roles` names.
    """

    tooling_account: str
    region: str
    roles: tuple[RoleSpec, ...] = ()
    accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for account in (self.tooling_account, *self.accounts):
            _check(_ACCOUNT, "account", account)
        _check(_REGION, "Region", self.region)

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
    """What a server says when it is ready: its process, its two addresses (`http://127.0.0.1:<port>`), and its key."""

    pid: int
    endpoint: str
    proxy: str
    secret: str = field(repr=False)


RESET_PATH = "/moto-api/reset"
"""POST empties the emulator and fills it again; with a body, from that layout instead of the last one."""

ORGANIZATION_ROLE = "OrganizationAccountAccessRole"
"""As AWS Organizations makes it in every member account: an administrator, trusted by the tooling account."""
