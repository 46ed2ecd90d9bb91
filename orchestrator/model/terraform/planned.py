"""A plan's JSON as the plan policy reads it (Terraform documentation, "JSON Output Format")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from orchestrator.errors import StageFailed

Json: TypeAlias = Mapping[str, Any]
Action: TypeAlias = Literal["create", "update", "destroy", "replace", "forget", "nothing"]

_KINDS: Mapping[tuple[str, ...], Action] = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("create", "forget"): "replace",
    ("no-op",): "nothing",
    ("read",): "nothing",
}
_INDEX = re.compile(r'\["(?:[^"\\]|\\.)*"\]|\[[0-9]+\]')


@dataclass(frozen=True)
class ResourceChange:
    """What a plan does to one managed resource. `before` and `after` hold sensitive values in clear.

    `provider` is the key of its provider's configuration, such as `aws` or `aws.west`; empty for a
    resource that the configuration no longer holds.
    """

    address: str
    type: str
    action: Action
    before: Json
    after: Json
    unknown: Json
    provider: str
    previous_address: str = ""
    """Where a `moved` block takes it from; empty where it is not moved."""

    @property
    def loses_data(self) -> bool:
        return self.action in ("destroy", "replace")


@dataclass(frozen=True)
class PlannedResources:
    """A whole plan; `regions` maps provider configurations to their Region, None where the plan does not tell it."""

    changes: tuple[ResourceChange, ...]
    regions: Mapping[str, str | None]
    roles: Mapping[str, str]
    resources_before: int

    @property
    def effective(self) -> tuple[ResourceChange, ...]:
        return tuple(change for change in self.changes if change.action != "nothing")

    def count(self, action: Action) -> int:
        return sum(change.action == action for change in self.changes)


def read(plan: Json) -> PlannedResources:
    """Raises StageFailed for a plan that is not complete, or does something that this program does not know."""
    if plan.get("errored") or not str(plan.get("format_version", "")).startswith("1."):
        raise StageFailed("the plan is not complete, or not of a known format, so no policy can be applied to it")
    configuration = plan.get("configuration") or {}
    providers = dict(_provider_keys(configuration.get("root_module") or {}, ""))
    configs = configuration.get("provider_config") or {}
    changes = (_change(entry, providers) for entry in plan.get("resource_changes") or [])
    prior = ((plan.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
    return PlannedResources(
        changes=tuple(change for change in changes if change is not None),
        regions={
            key: _region(config, plan.get("variables") or {}) for key, config in configs.items() if _is_aws(config)
        },
        roles={key: role for key, config in configs.items() for role in _roles(config)},
        resources_before=_managed(prior),
    )


def _change(entry: Json, providers: Mapping[str, str]) -> ResourceChange | None:
    if entry.get("mode") != "managed":
        return None
    change = entry["change"]
    action = _KINDS.get(tuple(change["actions"]))
    if action is None:
        raise StageFailed(f"the plan does something unknown to {entry['address']}: {change['actions']}")
    module = _INDEX.sub("", entry.get("module_address") or "")
    place = f"{module}.{entry['type']}.{entry['name']}" if module else f"{entry['type']}.{entry['name']}"
    return ResourceChange(
        address=entry["address"],
        type=entry["type"],
        action=action,
        before=change.get("before") or {},
        after=change.get("after") or {},
        unknown=change.get("after_unknown") or {},
        provider=providers.get(place, ""),
        previous_address=entry.get("previous_address") or "",
    )


def _provider_keys(module: Json, prefix: str) -> Iterator[tuple[str, str]]:
    """Address of a resource without indices, and the key of its provider's configuration."""
    for resource in module.get("resources") or []:
        if resource.get("mode") == "managed":
            yield f"{prefix}{resource['type']}.{resource['name']}", resource.get("provider_config_key", "")
    for name, call in (module.get("module_calls") or {}).items():
        yield from _provider_keys(call.get("module") or {}, f"{prefix}module.{name}.")


def _is_aws(config: Json) -> bool:
    return str(config.get("full_name", "")).endswith("/aws")


def _region(config: Json, variables: Json) -> str | None:
    expression = (config.get("expressions") or {}).get("region")
    return _constant(expression, variables) if isinstance(expression, Mapping) else None


def _constant(expression: Json, variables: Json) -> str | None:
    """The value of an expression that is a constant or one variable."""
    if isinstance(expression.get("constant_value"), str):
        return str(expression["constant_value"])
    references = expression.get("references") or []
    if len(references) == 1 and references[0].startswith("var."):
        value = (variables.get(references[0].removeprefix("var.")) or {}).get("value")
        return value if isinstance(value, str) else None
    return None


def _roles(config: Json) -> Iterator[str]:
    """Roles that a provider is written to assume; the one that orchestrate gives is not a constant."""
    for block in (config.get("expressions") or {}).get("assume_role") or []:
        role = (block.get("role_arn") or {}).get("constant_value") if isinstance(block, Mapping) else None
        if isinstance(role, str):
            yield role


def _managed(module: Json) -> int:
    here: int = sum(resource.get("mode") == "managed" for resource in module.get("resources") or [])
    return here + sum(_managed(child) for child in module.get("child_modules") or [])
