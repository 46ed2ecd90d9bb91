"""IAM policy documents in a plan: do they allow everything, or let outsiders in?

Source of the rules: AWS's "IAM JSON policy elements" and "Security best practices in IAM". A document with a
Principal belongs to a resource or a role's trust; one without gives rights to whoever carries it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from orchestrator.model.checks.finding import Severity
from orchestrator.model.terraform.planned import ResourceChange

Statement: TypeAlias = Mapping[str, Any]

_ACCOUNT = re.compile(r"(?:arn:[a-z0-9-]+:(?:iam|sts)::)?(?P<account>[0-9]{12})(?::.*)?", re.DOTALL)
# The kind of a resource, of which all are meant: `role/*`, `log-group:*`.
_KIND = re.compile(r"^/?[A-Za-z0-9-]+[/:](?=[*?])")
_WILDCARDS = re.compile(r"[*?/:]")
# What stands for all actions and all services: no pattern but one of wildcards alone matches each.
_VERBS = ("getx", "putx", "listx", "deletex", "createx", "describex", "updatex", "attachrolepolicy", "tag9")
_SERVICES = ("iam", "s3", "ec2", "kms", "x9")
# Conditions that tie a request to a known origin ("AWS global condition context keys").
_RESTRICTING = frozenset(
    """
    aws:principalorgid aws:principalorgpaths aws:principalaccount aws:principalarn aws:sourceaccount aws:sourcearn
    aws:sourceorgid aws:sourceorgpaths aws:sourceowner aws:sourcevpc aws:sourcevpce kms:calleraccount
    s3:dataaccesspointaccount
    """.split()
)
# Attributes that are a principal by themselves.
_PRINCIPALS = {
    "aws_lambda_permission": "principal",
    "aws_ram_principal_association": "principal",
    "aws_vpc_endpoint_service_allowed_principal": "principal_arn",
    "aws_ami_launch_permission": "account_id",
    "aws_snapshot_create_volume_permission": "account_id",
    "aws_kms_grant": "grantee_principal",
}
_DOCUMENTS = (
    "policy",
    "assume_role_policy",
    "inline_policy",
    "repository_policy",
    "access_policies",
    "resource_policy",
)


@dataclass(frozen=True)
class PolicyFault:
    """One thing wrong with one document; `attribute` is where it stands in the resource."""

    rule: str
    severity: Severity
    attribute: str
    message: str
    remediation: str


@dataclass(frozen=True)
class Document:
    """A document of a planned resource; `kind` is IAM Access Analyzer's word for what it governs."""

    address: str
    attribute: str
    kind: str
    text: str


def planned_documents(changes: Iterable[ResourceChange]) -> Iterator[Document]:
    """The documents that a plan would write."""
    for change in changes:
        if change.action in ("create", "update", "replace"):
            for attribute, document in documents(change.after):
                has_principal = any("Principal" in s or "NotPrincipal" in s for s in _statements(document))
                kind = "RESOURCE_POLICY" if has_principal else "IDENTITY_POLICY"
                yield Document(change.address, attribute, kind, json.dumps(document))


def faults(resource_type: str, values: Mapping[str, Any], trusted: frozenset[str]) -> Iterator[PolicyFault]:
    """Of all documents among a resource's planned values; `trusted` are the accounts that may be named."""
    for attribute, document in documents(values):
        for statement in _statements(document):
            if statement.get("Effect") == "Allow":
                yield from _allowing(attribute, statement, trusted)
    attribute = _PRINCIPALS.get(resource_type, "")
    principal = values.get(attribute)
    if isinstance(principal, str):
        restricted = any(
            isinstance(values.get(name), str) for name in ("source_account", "source_arn", "principal_org_id")
        )
        yield from _principal(attribute, {"AWS": principal} if _is_aws(principal) else {}, restricted, trusted)


def documents(values: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every string among the values that is a policy document, with the path to it."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from documents(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from documents(value, f"{path}[{index}]")
    elif isinstance(values, str) and values.lstrip().startswith("{"):
        try:
            document = json.loads(values)
        except (ValueError, RecursionError):
            return
        if isinstance(document, Mapping) and "Statement" in document:
            yield path, document


def unknown_documents(resource_type: str, unknown: Mapping[str, Any]) -> list[str]:
    """Attributes that are policies and not known yet. Elsewhere, an unknown `policy` is one that AWS fills in."""
    if not resource_type.startswith("aws_"):
        return []
    about_policies = resource_type.endswith("_policy")
    return [
        name for name in _DOCUMENTS if unknown.get(name) is True and (about_policies or name == "assume_role_policy")
    ]


def _statements(document: Mapping[str, Any]) -> list[Statement]:
    statements = document["Statement"]
    return [s for s in (statements if isinstance(statements, list) else [statements]) if isinstance(s, Mapping)]


def _allowing(attribute: str, statement: Statement, trusted: frozenset[str]) -> Iterator[PolicyFault]:
    if "NotPrincipal" in statement:
        message = "it allows everyone but those in NotPrincipal"
        yield PolicyFault(
            "iam_outside_principal", "critical", attribute, message, "Name those who are allowed in Principal."
        )
    elif "Principal" in statement:
        yield from _principal(attribute, statement["Principal"], _restricted(statement, trusted), trusted)
        yield from _federated(attribute, statement)
    else:
        yield from _rights(attribute, statement)


def _rights(attribute: str, statement: Statement) -> Iterator[PolicyFault]:
    """Of a document that gives rights to whoever carries it."""
    actions = sorted({action.lower() for action in _list(statement.get("Action"))})
    everywhere = "NotResource" in statement or any(map(_is_every_resource, _list(statement.get("Resource"))))
    if "NotAction" in statement:
        yield _wildcard("high", attribute, "it allows every action but those in NotAction")
    elif any(_allows_whole(action, _SERVICES) for action in actions):
        yield _wildcard("critical", attribute, "it allows every action")
    elif everywhere:
        for action in actions:
            if _allows_whole(action, [action.partition(":")[0]]) or _is_like("iam:passrole", action):
                yield _wildcard("high", attribute, f"it allows {action} on every resource")


def _allows_whole(action: str, services: Iterable[str]) -> bool:
    """Whether a pattern matches all actions of these services: of each, one with every verb of AWS's actions."""
    return all(_is_like(f"{service}:{verb}", action) for service in services for verb in _VERBS)


def _is_every_resource(pattern: str) -> bool:
    """Whether it matches all resources, or all of one kind: `*`, `arn:aws:s3:::*`, `arn:aws:iam::1234:role/*`."""
    *place, within = pattern.split(":", 5)  # an ARN's last part may hold colons
    named = within if place[2:3] == ["s3"] else _KIND.sub("", within)  # a bucket stands before the slash
    return not _WILDCARDS.sub("", named)


def _is_like(text: str, pattern: str) -> bool:
    """As IAM matches: `*` is any characters, `?` one ("IAM JSON policy elements: Action")."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL) is not None


def _wildcard(severity: Severity, attribute: str, message: str) -> PolicyFault:
    return PolicyFault(
        "iam_wildcard", severity, attribute, message, "Name the actions and the resources that are needed."
    )


def _principal(attribute: str, principal: Any, restricted: bool, trusted: frozenset[str]) -> Iterator[PolicyFault]:
    remediation = "Name principals of the project's accounts; policy.trusted_accounts lists others that may be named."
    named = _list(principal) if not isinstance(principal, Mapping) else _list(principal.get("AWS"))
    for name in named:
        match = _ACCOUNT.fullmatch(name)
        if name == "*":
            if not restricted:
                message = "it lets everyone in: the principal is * and no condition says where a request comes from"
                yield PolicyFault("iam_outside_principal", "critical", attribute, message, remediation)
        elif match is None:
            if ":iam::cloudfront:" not in name:
                yield PolicyFault(
                    "iam_outside_principal", "medium", attribute, f"it names {name}, of no known account", remediation
                )
        elif match["account"] not in trusted:
            message = f"it lets account {match['account']} in, which is not one of the project's"
            yield PolicyFault("iam_outside_principal", "critical", attribute, message, remediation)
    if isinstance(principal, Mapping) and _list(principal.get("CanonicalUser")):
        message = "it names canonical users, whose account cannot be told"
        yield PolicyFault("iam_outside_principal", "medium", attribute, message, remediation)


def _federated(attribute: str, statement: Statement) -> Iterator[PolicyFault]:
    """An identity provider serves many: without a condition on its subject or audience, all of them may come in."""
    principal = statement["Principal"]
    providers = _list(principal.get("Federated")) if isinstance(principal, Mapping) else []
    for provider in providers:
        conditions = dict(_conditions(statement))
        github = "token.actions.githubusercontent.com" in provider
        needed = [":sub"] if github else [":sub", ":aud", ":amr"]
        bound = any(key.endswith(tuple(needed)) and "*" not in values for key, values in conditions.items())
        if not bound:
            message = f"it lets everyone in whom {provider} knows: no condition on {' or '.join(needed)}"
            remediation = "Add a condition that names the subjects or the audience."
            yield PolicyFault("iam_outside_principal", "critical", attribute, message, remediation)


def _restricted(statement: Statement, trusted: frozenset[str]) -> bool:
    """Whether a condition ties requests to a known origin, and to none that is an outsider's."""
    return any(
        key in _RESTRICTING and values and all(_is_known(key, value, trusted) for value in values)
        for key, values in _conditions(statement)
    )


def _is_known(key: str, value: str, trusted: frozenset[str]) -> bool:
    """An ARN must name its account, but for those that have none (`arn:aws:s3:::bucket`)."""
    account = _ACCOUNT.fullmatch(value)
    parts = value.split(":")
    if account is not None:
        return account["account"] in trusted
    if len(parts) >= 6 and parts[0] == "arn":
        return parts[4] in trusted or (not parts[4] and "*" not in value)
    return key != "aws:principalarn" and "*" not in value


def _conditions(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Keys in lower case, with their values, of conditions that ask for equality or likeness."""
    condition = statement.get("Condition")
    for operator, tests in condition.items() if isinstance(condition, Mapping) else ():
        name = operator.lower().rpartition(":")[2]
        asks = name.removesuffix("ifexists") == name and not name.startswith(("null", "stringnot", "arnnot"))
        if asks and isinstance(tests, Mapping):
            yield from ((key.lower(), _list(value)) for key, value in tests.items())


def _is_aws(principal: str) -> bool:
    """A service's name or an organization's ARN is not a principal of an account."""
    return principal == "*" or _ACCOUNT.fullmatch(principal) is not None


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]
