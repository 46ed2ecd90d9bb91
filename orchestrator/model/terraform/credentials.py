"""Whether a plan was made with the credentials that orchestrate gave, as Terraform itself read the configuration.

The override file is written from our own reading of the root configuration. Terraform's reading is the one that
counts: what escaped ours (a construct that our parser takes for another, a provider that only a module names) is
found here, before the plan is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from orchestrator.errors import InvalidInput
from orchestrator.model.terraform.root import ROLE_VARIABLE, UNSET
from orchestrator.model.text import decoding

_GIVEN_ROLE = {"constant_value": f"${{var.{ROLE_VARIABLE}}}", "references": [f"var.{ROLE_VARIABLE}"]}


class _Provider(msgspec.Struct):
    """A provider configuration ("JSON Output Format", Configuration Representation)."""

    name: str = ""
    full_name: str = ""
    alias: str = ""
    module_address: str = ""
    expressions: dict[str, Any] = {}

    @property
    def is_default(self) -> bool:
        """Whether modules, and resources that name no provider, inherit it."""
        return bool(self.expressions) and not self.alias and not self.module_address

    @property
    def inherits(self) -> bool:
        """Whether it has no settings of its own: that of a module, or one that nothing but a resource's type names."""
        implied = self.module_address or self.full_name.endswith(f"/{self.name}")
        return bool(implied) and not self.expressions and not self.alias


class _Configuration(msgspec.Struct):
    provider_config: dict[str, _Provider] = {}


class _PlanDocument(msgspec.Struct):
    configuration: _Configuration = msgspec.field(default_factory=_Configuration)


def check(plan_json: bytes, account: str, unmanaged: Collection[str]) -> None:
    """Raises InvalidInput for an AWS provider that runs under another role or without the check of the account.

    `plan_json` is what `terraform show -json` tells of a saved plan; providers named in `unmanaged` are passed over.
    """
    document = decoding.decode(plan_json, _PlanDocument)
    found = document.configuration.provider_config
    aws = {key: provider for key, provider in found.items() if provider.full_name.endswith("/aws")}
    _check_names(aws.values())
    own = {key for key, provider in aws.items() if key in unmanaged and not provider.alias}
    defaults = {provider.full_name for key, provider in aws.items() if provider.is_default or key in own}
    for key, provider in aws.items():
        if key in unmanaged:
            continue
        if problems := list(_problems(provider, account, defaults)):
            raise InvalidInput(
                f"the provider {key} ({provider.full_name}) would not run under the release's role: {problems[0]}",
                hint="Write it as a plain `provider` block of the root configuration, or name it in "
                "workload.unmanaged_providers.",
            )


def _check_names(providers: Collection[_Provider]) -> None:
    """Of two local names of one provider Terraform configures only one, and tells the settings of both."""
    names: dict[str, set[str]] = {}
    for provider in providers:
        if provider.expressions and not provider.module_address:
            names.setdefault(provider.full_name, set()).add(provider.name)
    for full_name, twins in names.items():
        if len(twins) > 1:
            raise InvalidInput(
                f"the root configuration configures the provider {full_name} under several local names: "
                f"{', '.join(sorted(twins))}",
                hint="Give it one name in required_providers, and use that one everywhere.",
            )


def _problems(provider: _Provider, account: str, defaults: Collection[str]) -> Iterator[str]:
    given = provider.expressions
    if provider.inherits:
        if provider.full_name not in defaults:
            yield "the root neither configures it nor names it in required_providers"
        return
    if provider.module_address:
        yield f"{provider.module_address} configures it"
        return
    roles = given.get("assume_role")
    if not isinstance(roles, list) or [block.get("role_arn") for block in roles] != [_GIVEN_ROLE]:
        yield "it assumes another role, or none"
    if given.get("allowed_account_ids") != {"constant_value": [account]}:
        yield f"it is not held to account {account}"
    for name in (*UNSET, "assume_role_with_web_identity"):
        if given.get(name) not in (None, [], {"constant_value": None}):
            yield f"it sets {name}"
