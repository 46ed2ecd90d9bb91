"""What is particular to Terraform and to OpenTofu: names, files, registries. Nothing else tells the two apart.

The versions that are accepted of each stand in pins/tools.toml, under the program's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Program: TypeAlias = Literal["terraform", "tofu"]

_CONFIGURATION = ("", ".json")
_TESTS = ("test.hcl", "test.json")
_FORMATTED = ("", "test.hcl")


@dataclass(frozen=True)
class Dialect:
    """One program that reads Terraform's language.

    `languages` are the endings of its configuration files, without the dot. A later one wins: of `main.tf` and
    `main.tofu`, a program that knows both reads the latter alone (OpenTofu documentation, "Files and Directories").
    `serves_for` is the program whose work it may do where somebody asks for that.
    """

    program: Program
    title: str
    registry: str
    languages: tuple[str, ...]
    cli_files: tuple[str, ...]
    """The names of its CLI configuration in the home folder, the one that it prefers first."""
    serves_for: Program | None = None

    @property
    def configuration(self) -> tuple[str, ...]:
        """The endings of configuration files."""
        return self._endings(_CONFIGURATION)

    @property
    def tests(self) -> tuple[str, ...]:
        """The endings of test files."""
        return self._endings(_TESTS)

    @property
    def formatted(self) -> tuple[str, ...]:
        """The endings of files that `fmt` formats."""
        return (".tfvars", *self._endings(_FORMATTED))

    def _endings(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f".{language}{form}" for language in self.languages for form in forms)

    def read(self, names: Collection[str]) -> frozenset[str]:
        """Those files of one folder that it reads as configuration or tests. Hidden ones it passes over."""
        known = (*self.configuration, *self.tests)
        mine = {name for name in names if name.endswith(known) and not name.startswith(".")}
        return frozenset(name for name in mine if not self._replaced(name, mine))

    def _replaced(self, name: str, names: Collection[str]) -> bool:
        match = _NAME.fullmatch(name)
        assert match is not None
        later = self.languages[self.languages.index(match["language"]) + 1 :]
        return any(f"{match['stem']}.{language}{match['form']}" in names for language in later)


TERRAFORM = Dialect(
    program="terraform",
    title="Terraform",
    registry="registry.terraform.io",
    languages=("tf",),
    cli_files=(".terraformrc",),
)
OPENTOFU = Dialect(
    program="tofu",
    title="OpenTofu",
    registry="registry.opentofu.org",
    languages=("tf", "tofu"),
    cli_files=(".tofurc", ".terraformrc"),
    serves_for="terraform",
)
DIALECTS: Mapping[str, Dialect] = {dialect.program: dialect for dialect in (TERRAFORM, OPENTOFU)}

_LANGUAGES = tuple(dict.fromkeys(language for dialect in DIALECTS.values() for language in dialect.languages))
_FORMS = "|".join(map(re.escape, (*_TESTS, *_CONFIGURATION)))
_NAME = re.compile(rf"(?P<stem>.+)\.(?P<language>{'|'.join(_LANGUAGES)})(?P<form>{_FORMS})", re.DOTALL)

# What some program reads: a check must overlook none of it, whichever runs.
ALL_CONFIGURATION = tuple(dict.fromkeys(end for dialect in DIALECTS.values() for end in dialect.configuration))
ALL_TESTS = tuple(dict.fromkeys(end for dialect in DIALECTS.values() for end in dialect.tests))


def serving(name: str) -> tuple[str, ...]:
    """The programs that may do the work of `name`, itself first."""
    return (name, *(other.program for other in DIALECTS.values() if other.serves_for == name))


def stem(name: str) -> str:
    """The name of a configuration file without its ending."""
    match = _NAME.fullmatch(name)
    return name if match is None or match["form"] not in _CONFIGURATION else match["stem"]


def twins(name: str) -> tuple[str, ...]:
    """The name that a file has in each language, its own included."""
    match = _NAME.fullmatch(name)
    return (name,) if match is None else tuple(f"{match['stem']}.{each}{match['form']}" for each in _LANGUAGES)
