"""Judges identity policies as IAM does ("Policy evaluation logic", IAM User Guide): an explicit deny wins, an allow is
needed, and a condition whose key the request lacks does not hold (but for ...IfExists and ForAllValues).

What it does not know is an error, never an answer. moto's own evaluation, another implementation, is asked as well
wherever it can judge: for statements without conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult

Statement = Mapping[str, Any]
Policy = Mapping[str, Any]


@dataclass(frozen=True)
class AccessRequest:
    """What a caller wants; `context` holds condition keys."""

    action: str
    resource: str = "*"
    context: Mapping[str, Sequence[str] | str] = field(default_factory=dict)


def allows(policies: Iterable[Policy], wanted: AccessRequest) -> bool:
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in _listed(policy["Statement"])
        if _applies(statement, wanted)
    }
    return effects == {"Allow"}


def allows_within(policies: Sequence[Policy], boundary: Policy, wanted: AccessRequest) -> bool:
    """A permissions boundary grants nothing and limits everything."""
    return allows(policies, wanted) and allows([boundary], wanted)


def _applies(statement: Statement, wanted: AccessRequest) -> bool:
    unknown = set(statement) - {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
    assert not unknown, f"this evaluation does not know {unknown}"
    matches = _matches(statement, "Action", wanted.action.lower(), str.lower) and _matches(
        statement, "Resource", wanted.resource, lambda pattern: _with_variables(pattern, wanted)
    )
    if "Resource" in statement and "Condition" not in statement and "${" not in str(statement["Resource"]):
        assert matches == _second_opinion(statement, wanted), (statement, wanted)
    return matches and all(
        _holds(operator, _context(wanted, key), [_with_variables(str(value), wanted) for value in _listed(expected)])
        for operator, tests in statement.get("Condition", {}).items()
        for key, expected in tests.items()
    )


def _second_opinion(statement: Statement, wanted: AccessRequest) -> bool:
    judged = IAMPolicyStatement(statement).is_action_permitted(wanted.action, wanted.resource)
    return bool(judged is not PermissionResult.NEUTRAL)


def _with_variables(text: str, wanted: AccessRequest) -> str:
    """Policy variables such as ${aws:userid}; a text with one that the request lacks is like nothing."""

    def value(match: re.Match[str]) -> str:
        found = _context(wanted, match[1])
        return found[0] if found else "\0"

    return re.sub(r"\$\{([^}]+)\}", value, text)


def _context(wanted: AccessRequest, key: str) -> list[str]:
    found = {name.lower(): value for name, value in wanted.context.items()}.get(key.lower(), [])
    return [str(value) for value in _listed(found)]


def _matches(statement: Statement, key: str, wanted: str, norm: Callable[[str], str]) -> bool:
    if f"Not{key}" in statement:
        return not _like(wanted, map(norm, _listed(statement[f"Not{key}"])))
    return _like(wanted, map(norm, _listed(statement[key])))


def _holds(operator: str, values: list[str], wanted: list[str]) -> bool:
    """A key with several values needs one of the set operators, and then all of them."""
    base = operator.removeprefix("ForAllValues:")
    if base != operator:
        return all(_TESTS[base](value, wanted) for value in values)
    if base.endswith("IfExists"):
        return not values or _TESTS[base.removesuffix("IfExists")](values[0], wanted)
    if base == "Null":
        return [str(not values).lower()] == wanted
    if not values:
        return base.startswith("StringNot")
    return _TESTS[base](values[0], wanted)


def _like(value: str, patterns: Iterable[str]) -> bool:
    """IAM's wildcards are `*` and `?`; fnmatch's brackets have no meaning there."""
    return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


_TESTS: dict[str, Callable[[str, list[str]], bool]] = {
    "StringEquals": lambda value, wanted: value in wanted,
    "StringNotEquals": lambda value, wanted: value not in wanted,
    "StringLike": _like,
    "StringNotLike": lambda value, wanted: not _like(value, wanted),
    "ArnLike": _like,
    "ArnEquals": _like,
    "Bool": lambda value, wanted: value.lower() in [one.lower() for one in wanted],
}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
