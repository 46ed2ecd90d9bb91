"""What the orchestrator must know of a root configuration, and the files it adds to it.

Credentials are the orchestrator's to give. An override file (Terraform documentation, "Override Files") replaces the
backend and, in every `aws` provider block, whatever decides whose account is changed; so any repository is safe
unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.backend import Backend
from orchestrator.model.rules.config import Workload
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target
from orchestrator.model.tools.dialect import DIALECTS, stem

Json = dict[str, Any]

OVERRIDE_FILE = "orchestrate_override.tf.json"
GENERATED_FILE = "orchestrate.tf.json"
ROLE_VARIABLE = "orchestrate_role_arn"

# A provider's source address (Terraform documentation, "Provider Requirements"): letters of either case are the same.
_SOURCE = re.compile(r"(?:(?:[a-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9_-]+/)?[a-z0-9_-]+", re.IGNORECASE)
_OFFICIAL = "hashicorp/aws"
_REGISTRIES = tuple(f"{dialect.registry}/" for dialect in DIALECTS.values())
# Providers that find AWS credentials by themselves and whose blocks are unlike those of the AWS provider.
_WITHOUT_OVERRIDE = frozenset({"awscc"})

# Arguments of the AWS provider that choose credentials or switch off the check of the account; null unsets them.
UNSET = (
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_config_files",
    "shared_credentials_files",
    "forbidden_account_ids",
    "skip_requesting_account_id",
)
# A block cannot be unset, but a block that is never made takes its place, however often the root has it.
_NO_WEB_IDENTITY: Json = {"assume_role_with_web_identity": {"for_each": [], "content": {}}}


@dataclass(frozen=True)
class ProviderBlock:
    """One provider block for AWS: its local name and alias."""

    name: str
    alias: str | None

    @property
    def address(self) -> str:
        return self.name if self.alias is None else f"{self.name}.{self.alias}"


@dataclass(frozen=True)
class RootBlocks:
    """The blocks of a root configuration that matter here.

    `aws_names` maps the local names of AWS providers to their sources; `variables` a declared name to its type text;
    `sensitive` the name of a variable that is declared so to its default.
    """

    providers: tuple[ProviderBlock, ...]
    aws_names: Mapping[str, str]
    variables: Mapping[str, str | None] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)


def interpret(files: Mapping[str, Json]) -> RootBlocks:
    """From the parsed `.tf` and `.tf.json` files of the root, by file name; raises InvalidInput."""
    bodies = [files[name] for name in sorted(files, key=lambda name: (_is_override(name), name))]
    names = aws_names(bodies)
    for name, body in files.items():
        if comes_after_ours(name):
            refuse_later_override(name, body, names)
    variables: dict[str, str | None] = {}
    for body in bodies:
        variables |= {name: block.get("type", variables.get(name)) for name, block in labelled(body, "variable")}
    if ROLE_VARIABLE in variables:
        raise InvalidInput(
            f"the root configuration declares the variable {ROLE_VARIABLE}, which orchestrate uses itself"
        )
    providers = tuple(dict.fromkeys(provider_blocks(bodies, names)))
    _refuse_second_names(providers, names, dict(_sources(bodies)))
    return RootBlocks(providers, names, variables, _sensitive(bodies))


def _sensitive(bodies: Iterable[Json]) -> dict[str, Any]:
    """An override file may add the mark or the default to a variable (Terraform documentation, "Override Files")."""
    blocks_of: dict[str, Json] = {}
    for body in bodies:
        for name, block in labelled(body, "variable"):
            blocks_of[name] = {**blocks_of.get(name, {}), **block}
    return {name: block.get("default") for name, block in blocks_of.items() if block.get("sensitive", False)}


def comes_after_ours(name: str) -> bool:
    """Override files count in the order of their names: what a later one sets wins over ours."""
    return _is_override(name) and name > OVERRIDE_FILE


def _is_override(name: str) -> bool:
    plain = stem(name)
    return plain == "override" or plain.endswith("_override")


def _refuse_second_names(
    providers: Iterable[ProviderBlock], names: Mapping[str, str], declared: Mapping[str, str]
) -> None:
    """Of two local names of one provider Terraform configures only one; the other's aliases run without settings."""
    used = {*declared, *(provider.name for provider in providers)} & set(names)
    by_source: dict[str, list[str]] = {}
    for name in sorted(used):
        by_source.setdefault(_without_registry(names[name]), []).append(name)
    for source, twins in by_source.items():
        if len(twins) > 1:
            raise InvalidInput(
                f"the root configuration has several local names for the provider {source}: {', '.join(twins)}",
                hint="Give it one name in required_providers, and use that one everywhere.",
            )


def refuse_later_override(name: str, body: Json, names: Collection[str] = ()) -> None:
    """Raises InvalidInput where an override file that comes after ours sets the backend, or a provider of `names`."""
    settings = [key for block in blocks(body, "terraform") for key in block if key in ("backend", "cloud")]
    providers = [provider for provider, _ in labelled(body, "provider") if provider in names]
    if settings or providers:
        raise InvalidInput(
            f"the override file {name} sets the {settings[0] if settings else 'aws provider'} after {OVERRIDE_FILE}",
            hint="Rename it so that it sorts before that name, or remove it.",
        )


def aws_names(bodies: Iterable[Json]) -> dict[str, str]:
    """The local names under which a module uses an AWS provider, with its source (in lower case, host optional).

    Any provider of the type `aws` is taken for one: companies mirror or fork it under an address of their own. Raises
    InvalidInput for a source that is not plain text, because it may come out as anything.
    """
    sources = {"aws": _OFFICIAL, **dict(_sources(bodies))}  # a declared name comes after the implied one
    return {name: source for name, source in sources.items() if _type(source) == "aws"}


def _sources(bodies: Iterable[Json]) -> Iterator[tuple[str, str]]:
    for body in bodies:
        for settings in blocks(body, "terraform"):
            for required in blocks(settings, "required_providers"):
                for name, requirement in required.items():
                    if isinstance(requirement, dict) and "source" in requirement:
                        yield name, _source(name, requirement["source"])


def _source(name: str, text: Any) -> str:
    if isinstance(text, str) and _SOURCE.fullmatch(text):
        return text.lower() if "/" in text else f"hashicorp/{text.lower()}"
    raise InvalidInput(
        f"the source of the provider {name} in required_providers is not plain text: {str(text)[:80]}",
        hint='Write it out, as in source = "hashicorp/aws".',
    )


def _type(source: str) -> str:
    return source.rpartition("/")[2]


def provider_blocks(bodies: Iterable[Json], names: Collection[str]) -> Iterator[ProviderBlock]:
    """The provider blocks of a module that have one of these local names."""
    for body in bodies:
        for name, block in labelled(body, "provider"):
            if name in names:
                alias = block.get("alias")
                yield ProviderBlock(name, None if alias is None else str(alias))


def blocks(body: Json, kind: str) -> Iterator[Json]:
    """The blocks of a kind without labels; the JSON syntax may give one object or a list of them."""
    found = body.get(kind, [])
    for block in found if isinstance(found, list) else [found]:
        if isinstance(block, dict):
            yield block


def labelled(body: Json, kind: str) -> Iterator[tuple[str, Json]]:
    """The blocks of a kind with one label, as (label, block)."""
    for group in blocks(body, kind):
        for label, inner in group.items():
            for block in inner if isinstance(inner, list) else [inner]:
                if isinstance(block, dict):
                    yield label, block


# What is added ------------------------------------------------------------------------------------------------------


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
    names = {_without_registry(source): name for name, source in root.aws_names.items() if _needs(source, installed)}
    providers = dict.fromkeys([*root.providers, *(ProviderBlock(name, None) for name in names.values())])
    managed = [provider for provider in providers if provider.address not in unmanaged]
    override = backend_override(backend)
    if managed:
        override["provider"] = _by_name((p.name, _managed_block(p, identity)) for p in managed)
    return {OVERRIDE_FILE: override, GENERATED_FILE: {"variable": {ROLE_VARIABLE: _role_variable()}}}


def _without_registry(source: str) -> str:
    for registry in _REGISTRIES:
        source = source.removeprefix(registry)
    return source


def _needs(source: str, installed: Collection[str]) -> bool:
    hosts = ("",) if source.count("/") == 2 else _REGISTRIES
    return any(host + source in installed for host in hosts)


def _check_unmanaged(root: RootBlocks, unmanaged: frozenset[str], installed: Collection[str]) -> None:
    others = {name for name in map(_type, installed) if name in _WITHOUT_OVERRIDE}
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


def _managed_block(provider: ProviderBlock, identity: ProviderIdentity) -> Json:
    block: Json = {"allowed_account_ids": [identity.account], "assume_role": [identity.assume_role()]}
    block |= {**dict.fromkeys(UNSET), "dynamic": _NO_WEB_IDENTITY}
    return {**block, "region": identity.region} if provider.alias is None else {**block, "alias": provider.alias}


def _by_name(pairs: Iterable[tuple[str, Json]]) -> Json:
    grouped: Json = {}
    for name, block in pairs:
        grouped.setdefault(name, []).append(block)
    return grouped
