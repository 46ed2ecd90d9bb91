"""The facts of a target that a root configuration may ask for by declaring a variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.errors import InvalidInput
from orchestrator.model.rules.config import Workload
from orchestrator.model.rules.tag import Tag
from orchestrator.model.rules.target import Target
from orchestrator.model.terraform.root import Json, RootBlocks


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


def reserved_variables(root: RootBlocks, values: Mapping[str, str], workload: Workload) -> dict[str, str]:
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


def secrets(root: RootBlocks, files: Iterable[Json], env: Mapping[str, str]) -> frozenset[str]:
    """The texts in the values of sensitive variables, from their defaults, variable files and the environment."""
    given = [root.sensitive, *({name: file.get(name) for name in root.sensitive} for file in files)]
    named = [env.get(f"TF_VAR_{name}") for name in root.sensitive]
    return frozenset(text for value in [*given, named] for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)


def check_reserved(file: str, contents: Json, reserved: Mapping[str, str]) -> None:
    """Refuses a variable file that sets a fact of the target to another value."""
    for name, value in contents.items():
        expected = reserved.get(name)
        if expected is not None and str(value) != expected:
            raise InvalidInput(
                f"{file} sets {name} to {str(value)!r}, but for this release it is {expected!r}",
                hint="Remove the line: orchestrate sets it from the tag and the rules.",
            )
