"""Terraform's dependency lock file (`.terraform.lock.hcl`): which providers it fixes, and on which platforms it holds.

Source of the format: "Dependency Lock File" in Terraform's documentation. Terraform writes it itself, so only what
Terraform writes is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.errors import InvalidInput

LOCK_FILE = ".terraform.lock.hcl"
LOCK_PLATFORMS = "providers lock -platform=linux_amd64 -platform=darwin_arm64"
"""The command of Terraform and OpenTofu that makes a lock file hold on other platforms as well."""


@dataclass(frozen=True)
class LockedProvider:
    """One provider. `zh:` hashes are of the archives of every platform, an `h1:` hash is of one platform's files."""

    address: str
    version: str
    hashes: frozenset[str]

    @property
    def archives(self) -> int:
        return sum(1 for digest in self.hashes if digest.startswith("zh:"))


_BLOCK = re.compile(r'\s*provider\s+"([^"\s]+)"\s*\{([^{}]*)\}')
_ATTRIBUTE = re.compile(r'\s*(version|constraints|hashes)\s*=\s*("[^"]*"|\[[^\[\]]*\])')
_LIST = re.compile(r'\[\s*(?:"[^"]*"\s*,\s*)*(?:"[^"]*"\s*)?\]')
_STRING = re.compile(r'"([^"]*)"')


def parse_lock_file(text: str) -> tuple[LockedProvider, ...]:
    """Raises InvalidInput for anything that Terraform does not write."""
    text = re.sub(r"^[ \t]*(#|//).*$", "", text, flags=re.MULTILINE)
    providers = tuple(_provider(address, body) for address, body in _all(_BLOCK, text))
    if len({provider.address for provider in providers}) != len(providers):
        raise InvalidInput(f"{LOCK_FILE} names a provider twice", hint=_MEND)
    return providers


_MEND = "Remove it and make it again: `terraform init`, or `tofu init`, writes it."


def _all(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    """The matches that make up the whole text, one after the other."""
    position = 0
    while match := pattern.match(text, position):
        yield match[1], match[2]
        position = match.end()
    if text[position:].strip():
        line = text[position:].strip().splitlines()[0]
        raise InvalidInput(f"{LOCK_FILE} holds something that Terraform does not write: {line[:80]!r}", hint=_MEND)


def _provider(address: str, body: str) -> LockedProvider:
    attributes = dict(_all(_ATTRIBUTE, body))
    version, hashes = attributes.get("version", ""), attributes.get("hashes", "[]")
    if not _STRING.fullmatch(version) or not _LIST.fullmatch(hashes):
        raise InvalidInput(f"{LOCK_FILE} gives no version for {address}, or hashes of the wrong form", hint=_MEND)
    return LockedProvider(address, version.strip('"'), frozenset(_STRING.findall(hashes)))


def locked_versions(providers: Iterable[LockedProvider]) -> dict[str, str]:
    return {provider.address: provider.version for provider in providers}


def doubts(providers: Iterable[LockedProvider], program: str) -> tuple[str, ...]:
    """What will keep `init` of that program from working elsewhere: a provider whose hashes are of some platforms only.

    Terraform writes such a file where it takes a provider from a mirror or a cache instead of the registry.
    """
    return tuple(
        f"{LOCK_FILE} holds hashes of {provider.address} {provider.version} for {_some(provider)} only. Run "
        f"`{program} {LOCK_PLATFORMS} ...` where the registry can be reached, and commit the file."
        for provider in providers
        if provider.archives == 0
    )


def _some(provider: LockedProvider) -> str:
    number = len(provider.hashes)
    return {0: "no platform", 1: "one platform"}.get(number, f"{number} platforms")
