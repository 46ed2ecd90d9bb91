"""The files that the orchestrator adds to a root configuration.

Credentials are the orchestrator's to give. An override file (Terraform documentation, "Override Files") replaces the
backend and, in every `aws` provider block, whatever decides who we are and where requests go; so any repository is
safe unchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.config import Workload
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target
from orchestrator.model.terraform.root import (
    OVERRIDE_FILE,
    REGISTRIES,
    ROLE_VARIABLE,
    Json,
    ProviderBlock,
    RootBlocks,
    source_type,
    without_registry,
)

GENERATED_FILE = "orchestrate.tf.json"

# Arguments of the AWS provider that choose credentials, send requests elsewhere or switch off a check; null unsets
# them. Every version since 4.0 has these.
UNSET = (
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_config_files",
    "shared_credentials_files",
    "forbidden_account_ids",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "custom_ca_bundle",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "http_proxy",
    "insecure",
    "sts_region",
)
# Only some versions have these: they are unset where the root has them.
_UNSET_WHERE_SET = frozenset({"https_proxy", "no_proxy", "skip_get_ec2_platforms"})
# A block cannot be unset, but a block that is never made takes its place, however often the root has it.
_NO_BLOCKS: Json = {name: {"for_each": [], "content": {}} for name in ("assume_role_with_web_identity", "endpoints")}

# Providers that find AWS credentials by themselves and whose blocks are unlike those of the AWS provider.
_WITHOUT_OVERRIDE = frozenset({"awscc"})


@dataclass(frozen=True)
class ProviderIdentity:
    """How the providers of one release identify themselves to the workload account."""

    account: str
    region: str
    session_name: str
    external_id: str | None
    tags: Mapping[str, str]

    @staticmethod
    def of(tag: Tag, target: Target, workload: Workload) -> ProviderIdentity:
        tags = {"env": target.env, "team": target.team, "scope": target.scope, "tag": str(tag)}
        return ProviderIdentity(target.account, target.region, workload.session_name, workload.external_id, tags)

    def assume_role(self) -> Json:
        block: Json = {"role_arn": f"${{var.{ROLE_VARIABLE}}}", "session_name": self.session_name}
        if self.tags:
            block["tags"] = dict(self.tags)
        return block if self.external_id is None else {**block, "external_id": self.external_id}


def backend_override(backend: Backend) -> Json:
    """The `terraform` block of the override file: the s3 backend, whatever the root says."""
    settings: Json = {
        "bucket": backend.bucket,
        "key": backend.key,
        "region": backend.region,
        "encrypt": backend.encrypt,
        "use_lockfile": backend.use_lockfile,
    }
    if backend.dynamodb_table is not None:
        settings["dynamodb_table"] = backend.dynamodb_table
    return {"terraform": {"backend": {"s3": settings}}}


def generated_files(
    root: RootBlocks, backend: Backend, identity: ProviderIdentity, unmanaged: Iterable[str], installed: Collection[str]
) -> dict[str, Json]:
    """The two files by name: the override, and the variable, which an override cannot add.

    `installed`: addresses of the providers that the configuration and all its modules need. Where AWS is among them
    it gets a default configuration, which modules inherit. Raises InvalidInput.
    """
    unmanaged = frozenset(unmanaged)
    _check_unmanaged(root, unmanaged, installed)
    names = {without_registry(source): name for name, source in root.aws_names.items() if _needs(source, installed)}
    providers = dict.fromkeys([*root.providers, *(ProviderBlock(name, None) for name in names.values())])
    managed = [provider for provider in providers if provider.address not in unmanaged]
    override = backend_override(backend)
    if managed:
        unset = (*UNSET, *sorted(_UNSET_WHERE_SET & root.arguments))
        override["provider"] = _by_name((p.name, _managed_block(p, identity, unset)) for p in managed)
    return {OVERRIDE_FILE: override, GENERATED_FILE: {"variable": {ROLE_VARIABLE: _role_variable()}}}


def _needs(source: str, installed: Collection[str]) -> bool:
    hosts = ("",) if source.count("/") == 2 else REGISTRIES
    return any(host + source in installed for host in hosts)


def _check_unmanaged(root: RootBlocks, unmanaged: frozenset[str], installed: Collection[str]) -> None:
    others = {name for name in map(source_type, installed) if name in _WITHOUT_OVERRIDE}
    for name in sorted(others - unmanaged):
        raise InvalidInput(
            f"the root uses the provider {name}, to which orchestrate cannot give a role",
            hint=f"With `{name}` in workload.unmanaged_providers it runs as it is written.",
        )
    unknown = unmanaged - {provider.address for provider in root.providers} - others
    if unknown:
        message = f"workload.unmanaged_providers names {', '.join(sorted(unknown))}, which the root does not have"
        raise InvalidInput(message, hint="Remove the name; a provider that is not there cannot be left as written.")


def _role_variable() -> Json:
    return {
        "type": "string",
        "ephemeral": True,
        "description": "The role that orchestrate gives to the providers: another one for plan than for apply.",
    }


def _managed_block(provider: ProviderBlock, identity: ProviderIdentity, unset: Iterable[str]) -> Json:
    block: Json = {"allowed_account_ids": [identity.account], "assume_role": [identity.assume_role()]}
    block |= {**dict.fromkeys(unset), "dynamic": _NO_BLOCKS}
    return {**block, "region": identity.region} if provider.alias is None else {**block, "alias": provider.alias}


def _by_name(pairs: Iterable[tuple[str, Json]]) -> Json:
    grouped: Json = {}
    for name, block in pairs:
        grouped.setdefault(name, []).append(block)
    return grouped


def overridden(files: Mapping[str, Json]) -> frozenset[str]:
    """Addresses of the provider configurations (`aws`, `aws.alias`) that the generated files take over."""
    groups: Json = files[OVERRIDE_FILE].get("provider", {})
    blocks = ((name, block.get("alias")) for name, group in groups.items() for block in group)
    return frozenset(ProviderBlock(name, alias).address for name, alias in blocks)
