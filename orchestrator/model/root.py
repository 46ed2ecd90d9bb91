"""What the orchestrator must know of a root configuration, and the files it adds to it.

Credentials are the orchestrator's to give. An override file (Terraform documentation, "Override Files") replaces the
backend and, in every `aws` provider block, whatever decides whose account is changed; so any repository is safe
unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.backend import Backend
from orchestrator.model.config import Workload
from orchestrator.model.tag import Tag
from orchestrator.model.target import Target

Json = dict[str, Any]

OVERRIDE_FILE = "orchestrate_override.tf.json"
GENERATED_FILE = "orchestrate.tf.json"
ROLE_VARIABLE = "orchestrate_role_arn"

_AWS_SOURCES = ("hashicorp/aws", "registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws")

# Arguments of the AWS provider that choose credentials or switch off the check of the account; null unsets them.
_UNSET = (
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_config_files",
    "shared_credentials_files",
    "forbidden_account_ids",
    "skip_requesting_account_id",
)


@dataclass(frozen=True)
class ProviderBlock:
    """One provider block for AWS: its local name, alias and nested block types."""

    name: str
    alias: str | None
    blocks: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        return self.name if self.alias is None else f"{self.name}.{self.alias}"


@dataclass(frozen=True)
class Root:
    """The blocks of a root configuration that matter here; `variables` maps a declared name to its type text."""

    providers: tuple[ProviderBlock, ...]
    aws_names: frozenset[str]
    variables: Mapping[str, str | None] = field(default_factory=dict)


def interpret(files: Mapping[str, Json]) -> Root:
    """From the parsed `.tf` and `.tf.json` files of the root, by file name; raises InvalidInput."""
    aws_names = frozenset(_aws_names(files.values()))
    base = {name: body for name, body in files.items() if not _is_override(name)}
    for name, body in files.items():
        if _is_override(name) and name > OVERRIDE_FILE:
            _refuse_later_override(name, body, aws_names)
    variables = {name: body.get("type") for body in base.values() for name, body in labelled(body, "variable")}
    if ROLE_VARIABLE in variables:
        raise InvalidInput(
            f"the root configuration declares the variable {ROLE_VARIABLE}, which orchestrate uses itself"
        )
    providers = dict.fromkeys(_provider_blocks(base.values(), aws_names))
    return Root(tuple(providers), aws_names, variables)


def _is_override(name: str) -> bool:
    stem = name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


def _refuse_later_override(name: str, body: Json, aws_names: frozenset[str]) -> None:
    """Override files count in the order of their names: a later one would win over ours."""
    settings = [key for block in blocks(body, "terraform") for key in block if key in ("backend", "cloud")]
    providers = [provider for provider, _ in labelled(body, "provider") if provider in aws_names]
    if settings or providers:
        raise InvalidInput(
            f"the override file {name} sets the {settings[0] if settings else 'aws provider'} after {OVERRIDE_FILE}",
            hint="Rename it so that it sorts before that name, or remove it.",
        )


def _aws_names(bodies: Iterable[Json]) -> Iterator[str]:
    """The local names under which the root uses hashicorp/aws."""
    own_source = set()
    for body in bodies:
        for settings in blocks(body, "terraform"):
            for required in blocks(settings, "required_providers"):
                for name, requirement in required.items():
                    source = requirement.get("source") if isinstance(requirement, dict) else None
                    if source is not None:
                        own_source.add(name)
                    if source in _AWS_SOURCES:
                        yield name
    if "aws" not in own_source:
        yield "aws"


def _provider_blocks(bodies: Iterable[Json], aws_names: frozenset[str]) -> Iterator[ProviderBlock]:
    for body in bodies:
        for name, block in labelled(body, "provider"):
            if name in aws_names:
                nested = {key for key, value in block.items() if isinstance(value, list | dict)}
                alias = block.get("alias")
                yield ProviderBlock(name, None if alias is None else str(alias), frozenset(nested | _dynamic(block)))


def _dynamic(block: Json) -> set[str]:
    return {name for name, _ in labelled(block, "dynamic")}


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
class Identity:
    """How the providers of one release identify themselves to the workload account."""

    account: str
    region: str
    session_name: str
    external_id: str | None
    tags: Mapping[str, str]

    @staticmethod
    def of(tag: Tag, target: Target, workload: Workload) -> Identity:
        tags = {"env": target.env, "team": target.team, "scope": target.scope, "tag": str(tag)}
        return Identity(target.account, target.region, workload.session_name, workload.external_id, tags)

    def assume_role(self) -> Json:
        block: Json = {
            "role_arn": f"${{var.{ROLE_VARIABLE}}}",
            "session_name": self.session_name,
            "tags": dict(self.tags),
        }
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
    root: Root, backend: Backend, identity: Identity, unmanaged: Iterable[str], *, uses_aws: bool
) -> dict[str, Json]:
    """The two files by name: the override, and what an override cannot add (a variable, a missing provider).

    `uses_aws`: whether the configuration or any of its modules needs the AWS provider; only then one is generated
    where the root has no default one. Raises InvalidInput for a block whose credentials cannot be taken away.
    """
    unmanaged = frozenset(unmanaged)
    _check_unmanaged(root, unmanaged)
    managed = [provider for provider in root.providers if provider.address not in unmanaged]
    for provider in managed:
        if "assume_role_with_web_identity" in provider.blocks:
            raise InvalidInput(
                f"the provider {provider.address} has assume_role_with_web_identity, which orchestrate cannot replace",
                hint="Remove it, or list the provider in workload.unmanaged_providers.",
            )
    override = backend_override(backend)
    if managed:
        override["provider"] = _by_name((p.name, _managed_block(p, identity)) for p in managed)
    generated: Json = {"variable": {ROLE_VARIABLE: _role_variable()}}
    if uses_aws and not any(provider.alias is None for provider in root.providers):
        name = "aws" if "aws" in root.aws_names else min(root.aws_names)
        generated["provider"] = {name: [_new_block(identity)]}
    return {OVERRIDE_FILE: override, GENERATED_FILE: generated}


def _check_unmanaged(root: Root, unmanaged: frozenset[str]) -> None:
    unknown = unmanaged - {provider.address for provider in root.providers}
    if unknown:
        message = f"workload.unmanaged_providers names {', '.join(sorted(unknown))}, which the root does not have"
        raise InvalidInput(message, hint="Remove the name; a provider that is not there cannot be left as written.")


def _role_variable() -> Json:
    return {
        "type": "string",
        "ephemeral": True,
        "description": "The role that orchestrate gives to the providers: another one for plan than for apply.",
    }


def _managed_block(provider: ProviderBlock, identity: Identity) -> Json:
    block: Json = {"allowed_account_ids": [identity.account], "assume_role": [identity.assume_role()]}
    block.update(dict.fromkeys(_UNSET))
    return {**block, "region": identity.region} if provider.alias is None else {**block, "alias": provider.alias}


def _new_block(identity: Identity) -> Json:
    return {
        "region": identity.region,
        "allowed_account_ids": [identity.account],
        "assume_role": [identity.assume_role()],
    }


def _by_name(pairs: Iterable[tuple[str, Json]]) -> Json:
    grouped: Json = {}
    for name, block in pairs:
        grouped.setdefault(name, []).append(block)
    return grouped


# Variables ----------------------------------------------------------------------------------------------------------


def facts(tag: Tag, target: Target) -> dict[str, str]:
    """What a root may ask for, by the fact's own name."""
    return {
        "account": target.account,
        "region": target.region,
        "env": target.env,
        "team": target.team,
        "scope": target.scope,
        "release": str(tag),
    }


def reserved_variables(root: Root, values: Mapping[str, str], workload: Workload) -> dict[str, str]:
    """Variable name to value, for those facts that the root declares; raises InvalidInput."""
    names = {workload.variables.get(fact, fact): value for fact, value in values.items()}  # type: ignore[call-overload]
    missing = [name for name in workload.variables.values() if name not in root.variables]
    if missing:
        raise InvalidInput(f"workload.variables names {missing[0]}, which the root configuration does not declare")
    account = workload.variables.get("account", "account")
    if str(root.variables.get(account) or "").strip("${}") == "number":
        raise InvalidInput(
            f"the root declares the variable {account} as a number: an account number with a leading 0 would lose it",
            hint="Declare it with type = string.",
        )
    return {name: value for name, value in names.items() if name in root.variables}


def check_reserved(file: str, contents: Json, reserved: Mapping[str, str]) -> None:
    """Refuses a variable file that sets a fact of the target to another value."""
    for name, value in contents.items():
        expected = reserved.get(name)
        if expected is not None and str(value) != expected:
            raise InvalidInput(
                f"{file} sets {name} to {str(value)!r}, but for this release it is {expected!r}",
                hint="Remove the line: orchestrate sets it from the tag and the rules.",
            )
