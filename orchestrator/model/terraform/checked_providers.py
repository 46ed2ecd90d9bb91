"""Which providers may be installed: they are programs, and Terraform starts them even to validate.

Source of the patterns: Terraform's CLI configuration document, "Explicit Installation Method Configuration".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.terraform.events import CommandOutput
from orchestrator.model.text.quoting import quoted

_HASHICORPS = ("registry.terraform.io/hashicorp/*", "registry.opentofu.org/hashicorp/*")
_REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
_PART = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_ADDRESS = re.compile(rf"(?:(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?)/)?{_PART}/(?:{_PART}|\*)")
_UNAVAILABLE = re.compile(r"provider (\S+/\S+/\S+) was not found in any of the search locations")


@dataclass(frozen=True)
class CheckedProviders:
    """Addresses with their host, and `<host>/<namespace>/*` for all of a namespace."""

    patterns: tuple[str, ...] = _HASHICORPS

    def also(self, addresses: Iterable[str]) -> CheckedProviders:
        """With more of them; InvalidInput for what is no address. Without a host, both public registries are meant."""
        return CheckedProviders(tuple(dict.fromkeys((*self.patterns, *(a for each in addresses for a in _full(each))))))

    def holds(self, address: str) -> bool:
        namespace = address.rpartition("/")[0]
        return address in self.patterns or f"{namespace}/*" in self.patterns


def _full(address: str) -> Iterator[str]:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise InvalidInput(
            f"{quoted(address)} is not a provider's address", hint="Name it like datadog/datadog or datadog/*."
        )
    yield from [address] if found["host"] else [f"{host}/{address}" for host in _REGISTRIES]


def unavailable(output: CommandOutput) -> list[str]:
    """Providers that `init` found nowhere, or was not allowed to look for."""
    return [address for error in output.errors for address in _UNAVAILABLE.findall(" ".join(error.detail.split()))]


def not_allowed(addresses: Iterable[str]) -> Refused:
    named = list(addresses)
    return Refused(
        f"the root asks for providers that are not allowed to run here: {', '.join(quoted(a) for a in named)}",
        hint="Providers are programs. HashiCorp's may run, and in a release those of the protected branch's lock file. "
        f"`orchestrate check --provider {named[0]}` lets one run that you trust.",
    )
