"""Whether a plan was made with the credentials that orchestrate gave, as Terraform itself read the configuration.

The override file is written from our own reading of the root configuration. Terraform's reading is the one that
counts: what escaped ours (a construct that our parser takes for another, a provider that only a module names) is
found here, before the plan is stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from orchestrator.errors import InvalidInput
from orchestrator.model.terraform.override import ProviderIdentity
from orchestrator.model.terraform.root import ROLE_VARIABLE
from orchestrator.model.text import decoding

_GIVEN_ROLE = {"constant_value": f"${{var.{ROLE_VARIABLE}}}", "references": [f"var.{ROLE_VARIABLE}"]}
# Arguments of the AWS provider that are the root's to set: they decide neither who we are nor where requests go.
_LEFT_TO_THE_ROOT = frozenset(
    {
        "default_tags",
        "ignore_tags",
        "max_retries",
        "region",
        "retry_mode",
        "s3_us_east_1_regional_endpoint",
        "s3_use_path_style",
        "tag_policy_compliance",
        "token_bucket_rate_limiter_capacity",
        "use_dualstack_endpoint",
        "use_fips_endpoint",
        "user_agent",
        "version",
    }
)
_NODE = re.compile(r'^\t*"\[root\] ((?:module\.[^.\s"]+\.)+)provider\[\\"([^"\\]+)\\"\]', re.MULTILINE)


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
    def says_nothing(self) -> bool:
        """Whether it shows no settings: that of a module, or one that nothing but a resource's type names."""
        implied = self.module_address or self.full_name.endswith(f"/{self.name}")
        return bool(implied) and not self.expressions and not self.alias


class _Configuration(msgspec.Struct):
    provider_config: dict[str, _Provider] = {}


class _PlanDocument(msgspec.Struct):
    configuration: _Configuration = msgspec.field(default_factory=_Configuration)


def check(
    plan_json: bytes,
    identity: ProviderIdentity,
    unmanaged: Collection[str],
    taken_over: Collection[str],
    graph: Callable[[], str],
) -> None:
    """Raises InvalidInput for an AWS provider that runs with other settings than those that orchestrate gives.

    `plan_json` is what `terraform show -json` tells of a saved plan; providers named in `unmanaged` are passed over.
    `taken_over` are the configurations that the override file replaces: the plan does not show dynamic blocks, so one
    that is not among them may hold more than can be seen. `graph` asks Terraform for its graph, where only that tells
    whether a module configures a provider or inherits it.
    """
    document = decoding.decode(plan_json, _PlanDocument)
    found = document.configuration.provider_config
    aws = {key: provider for key, provider in found.items() if provider.full_name.endswith("/aws")}
    _check_names(aws.values())
    _check_modules(aws.values(), graph)
    own = {key for key, provider in aws.items() if key in unmanaged and not provider.alias}
    defaults = {provider.full_name for key, provider in aws.items() if provider.is_default or key in own}
    for key, provider in aws.items():
        if key in unmanaged:
            continue
        if problems := list(_problems(provider, identity, defaults)):
            raise _escaped(key, provider, problems[0])
        if provider.expressions and key not in taken_over:
            raise _escaped(key, provider, f"it was not found when {ROLE_VARIABLE} was given to the others")


def _escaped(key: str, provider: _Provider, problem: str) -> InvalidInput:
    return InvalidInput(
        f"the provider {key} ({provider.full_name}) would not run under the release's role: {problem}",
        hint="Write it as a plain `provider` block of the root configuration, or name it in "
        "workload.unmanaged_providers.",
    )


def _check_modules(providers: Collection[_Provider], graph: Callable[[], str]) -> None:
    """A module's block that is empty, or has dynamic blocks alone, looks in the plan as if there were none."""
    if not any(provider.module_address and provider.says_nothing for provider in providers):
        return
    for path, full_name in _NODE.findall(graph()):
        if full_name.endswith("/aws"):
            raise InvalidInput(
                f"{path.removesuffix('.')} configures an aws provider of its own ({full_name})",
                hint="Configure it in the root, where the role can be set, and pass it on: providers = {...}.",
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


def _problems(provider: _Provider, identity: ProviderIdentity, defaults: Collection[str]) -> Iterator[str]:
    given = provider.expressions
    if provider.says_nothing:
        if provider.full_name not in defaults:
            yield "the root neither configures it nor names it in required_providers"
        return
    if provider.module_address:
        yield f"{provider.module_address} configures it"
        return
    if not _assumes(given.get("assume_role"), identity):
        yield "it assumes another role, or none"
    if given.get("allowed_account_ids") != {"constant_value": [identity.account]}:
        yield f"it is not held to account {identity.account}"
    if not provider.alias and given.get("region") != {"constant_value": identity.region}:
        yield f"its Region is not {identity.region}"
    for name in sorted(set(given) - {"assume_role", "allowed_account_ids"} - _LEFT_TO_THE_ROOT):
        if given[name] not in (None, [], {"constant_value": None}):
            yield f"it sets {name}"


def _assumes(blocks: Any, identity: ProviderIdentity) -> bool:
    """Whether there is exactly the block that the override file holds."""
    wanted = {name: {"constant_value": value} for name, value in identity.assume_role().items()}
    return isinstance(blocks, list) and blocks == [wanted | {"role_arn": _GIVEN_ROLE}]
