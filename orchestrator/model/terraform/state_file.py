"""What orchestrate must know of a Terraform state file (Terraform's state format, version 4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InvalidInput, Refused
from orchestrator.model.text.canonical import sha256

BUILT_IN = "terraform.io/builtin/terraform"

# `provider["registry.terraform.io/hashicorp/aws"]`, after the module's address and before an alias.
_PROVIDER = re.compile(r'(?:.*\.)?provider\["([^"]+)"\](?:\..*)?', re.DOTALL)


@dataclass(frozen=True)
class StateFile:
    """`providers` are addresses without aliases, `resources` counts instances of managed resources."""

    lineage: str
    serial: int
    terraform_version: str
    providers: frozenset[str]
    resources: int
    sha256: str


def parse(content: bytes, where: str) -> StateFile:
    """Raises InvalidInput for anything but a state file of version 4; `where` completes "... is not a ..."."""
    try:
        document = json.loads(content)
        version = document["version"]
        if version == 4:
            return _read(document, sha256(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInput(
            f"{where} is not a Terraform state",
            hint="`terraform state pull > FILE`, or `tofu state pull > FILE`, writes one, in JSON. An encrypted one "
            "must be decrypted.",
        ) from None
    raise InvalidInput(
        f"{where} is a state of format version {str(version)[:20]}; version 4 is needed",
        hint="Run `terraform apply` with Terraform 1.0 or newer where the state is now: it writes the new format.",
    )


def _read(document: Mapping[str, Any], digest: str) -> StateFile:
    lineage, serial, program = document["lineage"], document["serial"], document["terraform_version"]
    if not (isinstance(lineage, str) and lineage and type(serial) is int and serial >= 0 and isinstance(program, str)):
        raise ValueError
    resources = list(document["resources"])
    return StateFile(
        lineage=lineage,
        serial=serial,
        terraform_version=program,
        providers=frozenset(_providers(resources)),
        resources=sum(len(resource["instances"]) for resource in resources if resource["mode"] == "managed"),
        sha256=digest,
    )


def _providers(resources: list[Mapping[str, Any]]) -> Iterator[str]:
    for resource in resources:
        match = _PROVIDER.fullmatch(resource["provider"])
        if match is None:
            raise ValueError
        yield match[1]


def check_state(state: StateFile, locked: Mapping[str, str], program: str) -> None:
    """Raises Refused where a commit cannot work with a state.

    `locked` is what its lock file fixes, `program` the version of Terraform. Whether a provider understands what a
    newer version of it wrote, each resource's schema version tells; Terraform compares those when it plans.
    """
    missing = sorted(state.providers - set(locked) - {BUILT_IN})
    if missing:
        raise Refused(
            f"the state holds resources of {', '.join(missing)}, which the commit's lock file does not have",
            hint="Such code can neither change nor remove them. Release a commit whose lock file has that provider.",
        )
    if is_older_series(program, state.terraform_version):
        raise Refused(
            f"the state was written by version {state.terraform_version}, and {program} here is older",
            hint=f"Install {state.terraform_version} or a newer one: an older one may misread it.",
        )


def is_older(version: str, than: str) -> bool:
    """Whether a version of Terraform or a provider is older, by number; what is not a version counts as 0.0."""
    return _numbers(version) < _numbers(than)


def is_older_series(version: str, than: str) -> bool:
    """As `is_older`, but of major and minor number alone: Terraform keeps its state format within 1.11.x."""
    return _numbers(version)[:2] < _numbers(than)[:2]


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", version)
    return (0, 0, 0) if match is None else tuple(int(number or 0) for number in match.groups())
