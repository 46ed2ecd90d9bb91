"""Judges trust policies and bucket policies: may this caller from outside do this?

A small part of AWS's evaluation ("Policy evaluation logic" in the IAM User Guide), enough for the policies that
delegate access between accounts. What it does not know counts as not allowed: an Allow under a condition that it
cannot judge is no Allow, a Deny under one is a Deny.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys of a request; those with several values have a tuple."""


@dataclass(frozen=True)
class Access:
    """One caller's wish. `arns` are all names that a policy may know the caller by; `context` has condition keys.

    `service` is set where a service of AWS itself calls: policies name it by its principal, never by an account.
    """

    account: str
    arns: frozenset[str]
    action: str
    resource: str | None = None
    context: Context = field(default_factory=dict)
    service: str | None = None


def allows(document: str | None, access: Access) -> bool:
    """Whether the policy (JSON; None for none) allows it. A policy that does not parse allows nothing."""
    effects = {str(statement.get("Effect")) for statement in _statements(document) if _applies(statement, access)}
    return effects == {"Allow"}


def applicable(document: str, context: Context) -> str:
    """The policy without the statements whose conditions do not hold, for a reader that knows no conditions."""
    policy = json.loads(document)
    kept = [
        statement
        for statement in _list(policy.get("Statement"))
        if _conditions_hold(statement.get("Condition") or {}, context, unknown=statement.get("Effect") == "Deny")
    ]
    return json.dumps({**policy, "Statement": kept})


def _statements(document: str | None) -> list[Statement]:
    try:
        return _list(json.loads(document or "{}").get("Statement"))
    except (ValueError, AttributeError):
        return []


def _applies(statement: Statement, access: Access) -> bool:
    denies = statement.get("Effect") == "Deny"
    return (
        _names_caller(statement, access)
        and _matches(statement, "Action", access.action.lower(), str.lower)
        and (access.resource is None or _matches(statement, "Resource", access.resource, str))
        and _conditions_hold(statement.get("Condition") or {}, access.context, unknown=denies)
    )


def _names_caller(statement: Statement, access: Access) -> bool:
    if "NotPrincipal" in statement:
        return not _is_among(statement["NotPrincipal"], access)
    return _is_among(statement.get("Principal"), access)


def _is_among(principal: Any, access: Access) -> bool:
    """An account's number or its root ARN stands for everybody in that account."""
    if access.service is not None:
        return principal == "*" or access.service in _list((principal or {}).get("Service"))
    named = ["*"] if principal == "*" else _list((principal or {}).get("AWS"))
    return any(name in ("*", access.account) or name in access.arns or _is_root(name, access) for name in named)


def _is_root(name: str, access: Access) -> bool:
    return fnmatchcase(name, f"arn:*:iam::{access.account}:root")


def _matches(statement: Statement, key: str, wanted: str, norm: Callable[[str], str]) -> bool:
    """`Action` or `NotAction`, `Resource` or `NotResource`."""
    if f"Not{key}" in statement:
        return not _any_like(wanted, map(norm, _list(statement[f"Not{key}"])))
    return _any_like(wanted, map(norm, _list(statement.get(key))))


def _conditions_hold(conditions: Mapping[str, Any], context: Context, *, unknown: bool) -> bool:
    known = {name.lower(): value for name, value in context.items()}
    return all(
        _holds(operator, known.get(name.lower()), _list(wanted), unknown=unknown)
        for operator, tests in conditions.items()
        for name, wanted in tests.items()
    )


def _holds(operator: str, value: str | tuple[str, ...] | None, wanted: list[str], *, unknown: bool) -> bool:
    """A set operator asks each of a key's values: `ForAllValues` of none is true, `ForAnyValue` of none is not."""
    quantifier, _, name = operator.rpartition(":")
    test = _OPERATORS.get(name)
    if test is None or quantifier not in _QUANTIFIERS:
        return unknown
    if not quantifier:
        return unknown if isinstance(value, tuple) else test(value, wanted)
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    return _QUANTIFIERS[quantifier](test(each, wanted) for each in values)


def _equals(value: str | None, wanted: list[str]) -> bool:
    return value is not None and value in wanted


def _like(value: str | None, wanted: list[str]) -> bool:
    return value is not None and _any_like(value, wanted)


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": _equals,
    "StringNotEquals": lambda value, wanted: not _equals(value, wanted),
    "StringLike": _like,
    "StringNotLike": lambda value, wanted: not _like(value, wanted),
    "ArnEquals": _like,
    "ArnNotEquals": lambda value, wanted: not _like(value, wanted),
    "ArnLike": _like,
    "ArnNotLike": lambda value, wanted: not _like(value, wanted),
    "Bool": lambda value, wanted: value is not None and value.lower() in [str(w).lower() for w in wanted],
}


_QUANTIFIERS: dict[str, Callable[[Iterable[bool]], bool]] = {"": all, "ForAllValues": all, "ForAnyValue": any}


def _any_like(value: str, patterns: Iterable[str]) -> bool:
    """IAM's wildcards are `*` and `?`; fnmatch's brackets have no meaning there."""
    return any(fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
