"""What the orchestrator must know of a root configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.tools.dialect import DIALECTS, stem

Json = dict[str, Any]

OVERRIDE_FILE = "orchestrate_override.tf.json"
ROLE_VARIABLE = "orchestrate_role_arn"

# A provider's source address (Terraform documentation, "Provider Requirements"): letters of either case are the same.
_SOURCE = re.compile(r"(?:(?:[a-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9_-]+/)?[a-z0-9_-]+", re.IGNORECASE)
_COMMENT = "//"  # a property of this name is one in the JSON syntax
_OFFICIAL = "hashicorp/aws"
REGISTRIES = tuple(f"{dialect.registry}/" for dialect in DIALECTS.values())


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
    `sensitive` the name of a variable that is declared so to its default; `arguments` are all that any AWS provider
    block sets.
    """

    providers: tuple[ProviderBlock, ...]
    aws_names: Mapping[str, str]
    variables: Mapping[str, str | None] = field(default_factory=dict)
    sensitive: Mapping[str, Any] = field(default_factory=dict)
    arguments: frozenset[str] = frozenset()


def interpret(files: Mapping[str, Json]) -> RootBlocks:
    """From the parsed `.tf` and `.tf.json` files of the root, by file name; raises InvalidInput."""
    bodies = [files[name] for name in sorted(files, key=lambda name: (_is_override(name), name))]
    names = aws_names(bodies)
    variables: dict[str, str | None] = {}
    for body in bodies:
        variables |= {name: block.get("type", variables.get(name)) for name, block in labelled(body, "variable")}
    if ROLE_VARIABLE in variables:
        raise InvalidInput(
            f"the root configuration declares the variable {ROLE_VARIABLE}, which orchestrate uses itself"
        )
    providers = tuple(dict.fromkeys(provider_blocks(bodies, names)))
    _refuse_second_names(providers, names, dict(_sources(bodies)))
    arguments = frozenset(name for block in _provider_bodies(bodies, names) for name in block)
    return RootBlocks(providers, names, variables, _sensitive(bodies), arguments)


def _sensitive(bodies: Iterable[Json]) -> dict[str, Any]:
    """An override file may add the mark or the default to a variable (Terraform documentation, "Override Files")."""
    blocks_of: dict[str, Json] = {}
    for body in bodies:
        for name, block in labelled(body, "variable"):
            blocks_of[name] = {**blocks_of.get(name, {}), **block}
    return {name: block.get("default") for name, block in blocks_of.items() if block.get("sensitive", False)}


def refuse_later_overrides(names: Iterable[str]) -> None:
    """Raises InvalidInput for an override file among these names that Terraform would merge after ours.

    Override files count in the order of their names, and what a later one sets wins. Whatever it holds, it is refused:
    what Terraform finds in a file need not be what we find in it.
    """
    for name in sorted(names):
        if _is_override(name) and os.fsencode(name) > os.fsencode(OVERRIDE_FILE):
            raise InvalidInput(
                f"the override file {name} comes after {OVERRIDE_FILE}, and what it sets would win",
                hint="Rename it so that it sorts before that name, or write what it sets into the files it overrides.",
            )


def _is_override(name: str) -> bool:
    plain = stem(name)
    return name != plain and (plain == "override" or plain.endswith("_override"))


def _refuse_second_names(
    providers: Iterable[ProviderBlock], names: Mapping[str, str], declared: Mapping[str, str]
) -> None:
    """Of two local names of one provider Terraform configures only one; the other's aliases run without settings."""
    used = {*declared, *(provider.name for provider in providers)} & set(names)
    by_source: dict[str, list[str]] = {}
    for name in sorted(used):
        by_source.setdefault(without_registry(names[name]), []).append(name)
    for source, twins in by_source.items():
        if len(twins) > 1:
            raise InvalidInput(
                f"the root configuration has several local names for the provider {source}: {', '.join(twins)}",
                hint="Give it one name in required_providers, and use that one everywhere.",
            )


def aws_names(bodies: Iterable[Json]) -> dict[str, str]:
    """The local names under which a module uses an AWS provider, with its source (in lower case, host optional).

    Any provider of the type `aws` is taken for one: companies mirror or fork it under an address of their own. Raises
    InvalidInput for a source that is not plain text, because it may come out as anything.
    """
    sources = {"aws": _OFFICIAL, **dict(_sources(bodies))}  # a declared name comes after the implied one
    return {name: source for name, source in sources.items() if source_type(source) == "aws"}


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


def source_type(source: str) -> str:
    return source.rpartition("/")[2]


def without_registry(source: str) -> str:
    for registry in REGISTRIES:
        source = source.removeprefix(registry)
    return source


def provider_blocks(bodies: Iterable[Json], names: Collection[str]) -> Iterator[ProviderBlock]:
    """The provider blocks of a module that have one of these local names."""
    for body in bodies:
        for name, block in labelled(body, "provider"):
            if name in names:
                alias = block.get("alias")
                yield ProviderBlock(name, None if alias is None else str(alias))


def _provider_bodies(bodies: Iterable[Json], names: Collection[str]) -> Iterator[Json]:
    return (block for body in bodies for name, block in labelled(body, "provider") if name in names)


def blocks(body: Json, kind: str) -> Iterator[Json]:
    """The blocks of a kind without labels; raises InvalidInput where something else stands there."""
    yield from _objects(body.get(kind), kind)


def labelled(body: Json, kind: str) -> Iterator[tuple[str, Json]]:
    """The blocks of a kind with one label, as (label, block); raises InvalidInput as `blocks` does."""
    for group in blocks(body, kind):
        for label, inner in group.items():
            if label != _COMMENT:
                for block in _objects(inner, f"{kind} {label}"):
                    yield label, block


def _objects(value: Any, told: str) -> Iterator[Json]:
    """The JSON syntax takes one object or lists of them, in lists again, for blocks ("JSON Configuration Syntax")."""
    if isinstance(value, list):
        for inner in value:
            yield from _objects(inner, told)
    elif isinstance(value, dict):
        yield value
    elif value is not None:
        raise InvalidInput(f"{told} in a JSON file of the configuration is no block: {str(value)[:80]}")
