"""Changes that let more people or networks in: told first in a review, whatever else a plan does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.model.plan_view.values import ABSENT, UNKNOWN, parsed_json, same, shown, written

# Attributes that say who is let in, or from where; all that stands in them counts.
_LETS_IN = re.compile(
    r"(^|_)(ingress|egress|cidrs?|cidr_(ip|block)|cidr_blocks?|ipv6_cidr_blocks?|cidr_ipv[46]|prefix_list_ids?|"
    r"(source_|referenced_)?security_groups?(_ids?)?|principals?|principal_arns?|policy_arns?|managed_policy_arns|"
    r"members?|users|groups|roles?|grant(s|ee)?|access_control_policy|permissions?|public_access_cidrs|"
    r"allowed_[a-z_]+|trusted_[a-z_]+|source_(arn|account|ip)|account_ids?)$"
)
_PORTS = re.compile(r"^(from_port|to_port|ip_protocol|protocol|rule_action|self)$")
_NETWORK_TYPE = re.compile(r"security_group|network_acl|firewall|waf|ip_set|prefix_list")
_ACCESS_TYPE = re.compile(
    r"_iam_|security_group|network_acl|policy|permission|_acl$|access|grant|share|principal|_role|lb_listener|firewall"
)
# Attributes that keep the world out while they are true, and those that let it in.
_KEEPS_OUT = re.compile(r"^(block_public_(acls|policy|access)|ignore_public_acls|restrict_public_buckets)$")
_OPENS = re.compile(
    r"public(ly)?_access(ible)?$|^publicly_accessible$|^public$|associate_public_ip|map_public_ip|endpoint_public_access$"
)
_PUBLIC = ("0.0.0.0/0", "::/0", "*")
_LIMITS = re.compile(r"^permissions_boundary$")
_MOST_NAMED = 12


def widening(kind: str, before: Any, after: Any, *, created: bool) -> tuple[str, ...]:
    """What a change of an object of this type opens, in words. Of a new object only what it opens to everybody."""
    old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
    found = dict.fromkeys(reason for key in sorted({*old, *new}) for reason in _of(kind, key, old, new, created))
    return tuple(found)


def _of(kind: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any], created: bool) -> Iterator[str]:
    first, second = old.get(key), new.get(key)
    if same(first, second):
        return
    yield from _documents(key, first, second, created)
    if isinstance(first, bool | None) and _KEEPS_OUT.search(key) and second is not True and (first or created):
        yield f"{key} is no longer true" if first else f"{key} is not true"
    if second is True and _OPENS.search(key):
        yield f"{key} becomes true"
    if key == "acl" and isinstance(second, str) and second.startswith(("public", "authenticated")):
        yield f"acl becomes {second}"
    if key == "authorization_type" and second == "NONE":
        yield "authorization_type becomes NONE"
    if _LIMITS.search(key) and first is not None and not created:
        yield f"{key} is {'taken away' if second is None else 'another'}"
    if _LETS_IN.search(key) or (_PORTS.search(key) and _NETWORK_TYPE.search(kind)):
        yield from _members(kind, key, first, second, created)


def _members(kind: str, key: str, first: Any, second: Any, created: bool) -> Iterator[str]:
    """What is let in that was not before: a block as a whole counts, for a port is open to whom it names."""
    for opened in _opened(first, second):
        everybody = [leaf for leaf in opened if leaf[1].strip('"') in _PUBLIC]
        if created or not (_ACCESS_TYPE.search(kind) or "cidr" in key):
            opened = everybody if key != "egress" else []
        if opened:
            yield f"{key} gets {_named([f'{name} {text}' if name else text for name, text in opened])}"


def _opened(first: Any, second: Any) -> Iterator[list[tuple[str, str]]]:
    """Of each element what no element before had, beside all the rest of it."""
    before = [[*_leaves(item)] for item in (first if isinstance(first, list) else [first])]
    scalars: list[tuple[str, str]] = []
    for item in second if isinstance(second, list) else [second]:
        leaves = [*_leaves(item)]
        if not isinstance(item, Mapping):
            scalars.extend(leaf for leaf in leaves if not any(leaf in known for known in before))
        elif not any({*leaves} <= {*known} for known in before):
            nearest: list[tuple[str, str]] = max(before, key=lambda known: len({*leaves} & {*known}), default=[])
            yield [leaf for leaf in dict.fromkeys(leaves) if leaf not in nearest]
    yield list(dict.fromkeys(scalars))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar with the name it stands under; an element's place in its list does not count."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif value not in (None, "", False) or value == 0:
        yield name, written(value)


# Policy documents ---------------------------------------------------------------------------------------------------


def _documents(key: str, first: Any, second: Any, created: bool) -> Iterator[str]:
    """IAM's language, in which nearly all policies of AWS are written; also inside of blocks such as inline_policy."""
    if isinstance(first, list) or isinstance(second, list):
        old = [item for item in (first if isinstance(first, list) else []) if isinstance(item, Mapping)]
        new = [item for item in (second if isinstance(second, list) else []) if isinstance(item, Mapping)]
        known = [statement for block in old for value in block.values() for statement in _statements(value)]
        for block in new:
            for name, value in block.items():
                yield from _grants(f"{key}.{name}", known, _statements(value), created)
        return
    before, after = _statements(first), _statements(second)
    if second is UNKNOWN and before:
        yield f"{key} is known only after the apply"
        return
    yield from _grants(key, before, after, created)
    denied = [each for each in after if each.get("Effect") == "Deny"]
    for statement in before if second is not None else ():
        if statement.get("Effect") == "Deny" and not any(_covers(deny, statement) for deny in denied):
            yield f"{key} no longer denies {_named(_set(statement, 'Action') or ['what it denied'])}"


def _grants(key: str, before: list[Mapping[str, Any]], after: list[Mapping[str, Any]], created: bool) -> Iterator[str]:
    allowed = [each for each in before if each.get("Effect") == "Allow"]
    for statement in after:
        if statement.get("Effect") != "Allow" or any(_covers(known, statement) for known in allowed):
            continue
        everything = [name for name in ("Action", "Principal") if "*" in _set(statement, name)]
        if not created:
            yield f"{key} allows {_news(allowed, statement)}"
        elif everything or any(name.startswith("Not") for name in statement):
            yield f"{key} allows {' and '.join(f'{name} *' for name in everything) or 'all but what it names'}"


def _news(allowed: list[Mapping[str, Any]], statement: Mapping[str, Any]) -> str:
    parts = []
    for name in ("Action", "Resource", "Principal", "NotAction", "NotResource", "NotPrincipal"):
        known = {item for each in allowed for item in _set(each, name)}
        fresh = [item for item in _set(statement, name) if item not in known]
        if fresh:
            parts.append(f"{name} {_named(fresh)}")
    return ", ".join(parts) or "more: another combination of what was allowed, or under fewer conditions"


def _statements(value: Any) -> list[Mapping[str, Any]]:
    document = parsed_json(value) if isinstance(value, str) else None
    found = document.get("Statement") if isinstance(document, dict) else None
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


def _covers(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Whether a statement of the same effect already held all of it; in doubt it did not."""
    for name in ("NotAction", "NotResource", "NotPrincipal"):
        if not same(wide.get(name, ABSENT), narrow.get(name, ABSENT)):
            return False
    parts = (({*_set(wide, name)}, {*_set(narrow, name)}) for name in ("Action", "Resource", "Principal"))
    if not all("*" in old or new <= old for old, new in parts):
        return False
    return not wide.get("Condition") or same(wide.get("Condition"), narrow.get("Condition"))


def _set(statement: Mapping[str, Any], name: str) -> list[str]:
    value = statement.get(name)
    if isinstance(value, dict):
        return [
            "*" if item == "*" and kind == "AWS" else f"{kind} {item}" for kind in value for item in _set(value, kind)
        ]
    return [str(item) for item in (value if isinstance(value, list) else [] if value is None else [value])]


def _named(items: list[str]) -> str:
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    return ", ".join(map(shown, items[:_MOST_NAMED])) + more
