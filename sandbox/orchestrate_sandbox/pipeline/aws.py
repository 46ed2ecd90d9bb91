"""boto3 clients with which the emulated services call each other, by HTTP, under the roles that Terraform gave them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrate_sandbox.keys import SERVICES_ID, for_clients
from orchestrate_sandbox.pipeline.place import here

if TYPE_CHECKING:
    from orchestrate_sandbox.moto_additions.service_roles import Caller

_lock = threading.Lock()
_clients: dict[tuple[str, ...], Any] = {}


def as_role(service: str, region: str, role_arn: str, caller: Caller) -> Any:
    """A client with a session of the role, which the caller assumes.

    Clients are kept: a session does not expire here. Raises service_roles.MayNotAssume.
    """
    from orchestrate_sandbox.moto_additions import service_roles

    def make() -> Any:
        return _client(service, region, service_roles.session(role_arn, region, caller))

    return _kept((service, region, role_arn, caller.service, caller.arn, caller.session), make)


def as_account(service: str, region: str, account: str) -> Any:
    """A client of the account itself, for what AWS does there under no role."""

    def make() -> Any:
        made = _client(service, region, for_clients(SERVICES_ID, here().keys.services))

        def name_the_account(params: dict[str, Any], **_: object) -> None:
            params["headers"]["x-moto-account-id"] = account

        made.meta.events.register("before-call", name_the_account)
        return made

    return _kept((service, region, account), make)


def forget_all() -> None:
    """For a reset: the sessions are gone with the emulated IAM."""
    with _lock:
        _clients.clear()


def _kept(key: tuple[str, ...], make: Callable[[], Any]) -> Any:
    with _lock:  # boto3's session may not be used by two threads at once
        if key not in _clients:
            _clients[key] = make()
        return _clients[key]


def _client(service: str, region: str, keys: dict[str, str]) -> Any:
    import boto3
    from botocore.config import Config

    make: Any = boto3.client  # the service's name is not a literal
    config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 1}, proxies={})
    made = make(service, region_name=region, endpoint_url=here().endpoint, config=config, **keys)
    _ = made.exceptions  # made at first use, and by two threads at once twice: each would catch its own, and miss
    return made
