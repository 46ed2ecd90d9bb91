"""Whether a configuration takes a provider that has to be installed.

Source: Terraform documentation, "Provider Requirements".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.model.terraform.root import Json, blocks, labelled

BLOCKS = ("terraform", "provider", "resource", "data", "ephemeral", "module")
"""The blocks that tell."""

_BUILT_IN = "terraform.io/builtin/terraform"


def needs_providers(bodies: Iterable[Json]) -> bool:
    """Of one module's files; the modules that it calls are asked on their own."""
    return any(source != _BUILT_IN for body in bodies for source in _sources(body))


def _sources(body: Json) -> Iterator[Any]:
    """The source of each provider that is required, configured or implied; None where it is not the built-in one."""
    for settings in blocks(body, "terraform"):
        for required in blocks(settings, "required_providers"):
            for requirement in required.values():
                yield requirement.get("source") if isinstance(requirement, dict) else None
    for name, _ in labelled(body, "provider"):
        yield _BUILT_IN if name == "terraform" else None
    for kind in ("resource", "data", "ephemeral"):
        for type_, _ in labelled(body, kind):
            yield _BUILT_IN if type_.startswith("terraform_") else None


def module_sources(bodies: Iterable[Json]) -> Iterator[str]:
    """The sources of the modules that are called."""
    for body in bodies:
        for _, call in labelled(body, "module"):
            yield str(call.get("source", ""))
