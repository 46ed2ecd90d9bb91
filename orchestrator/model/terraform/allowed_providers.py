"""Which providers may run: they are programs, and see what Terraform sees."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from orchestrator.errors import Refused
from orchestrator.model.rules.check_settings import like
from orchestrator.model.tools.dialect import DIALECTS

_BY_DEFAULT = tuple(f"{dialect.registry}/hashicorp/*" for dialect in DIALECTS.values())


def refuse_others(addresses: Iterable[str], allowed: Collection[str] | None, protected: Collection[str]) -> None:
    """Raises Refused for a provider (`host/namespace/type`) that the rules do not allow.

    Where they name none (None), those of hashicorp are, and those that the protected branch's lock file has.
    """
    for address in sorted(addresses):
        if not _is_allowed(address, allowed, protected):
            raise Refused(
                f"the provider {address} is not one of those that the rules allow",
                hint=f"A provider is a program that runs with the release's credentials. Name {address} in "
                "terraform.providers of envs/orchestrate.yaml on the protected branch.",
            )


def _is_allowed(address: str, allowed: Collection[str] | None, protected: Collection[str]) -> bool:
    if allowed is None:
        return address in protected or any(like(address, pattern) for pattern in _BY_DEFAULT)
    return any(like(name, pattern) for pattern in allowed for name in (address, address.partition("/")[2]))
