"""Roles of workload accounts: whether they can be assumed, as Terraform will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.effects.aws.errors import Attempt, explain
from orchestrator.effects.aws.retry import code_of
from orchestrator.effects.aws.session import CallerIdentity, Session
from orchestrator.errors import DependencyError


@dataclass(frozen=True)
class RoleRequest:
    """What Terraform's provider passes to AssumeRole; `tags` are session tags."""

    arn: str
    session_name: str
    external_id: str | None
    tags: Mapping[str, str]


def assume(aws: Session, wanted: RoleRequest) -> CallerIdentity:
    """Who one is in that role; the credentials are dropped. Raises DependencyError where it cannot be assumed."""
    from botocore.exceptions import ClientError

    with aws.explained("assume the role", wanted.arn):
        try:
            answer = aws.client("sts").assume_role(**_request(wanted))
        except ClientError as error:
            if code_of(error) != "AccessDenied":
                raise
            denied = explain(error, Attempt("assume the role", wanted.arn, who=aws.caller_identity().arn))
            raise DependencyError(denied.message, hint=_trust(wanted, aws.caller_identity())) from None
        return aws.identity_of(answer["Credentials"])


def _request(wanted: RoleRequest) -> dict[str, Any]:
    request: dict[str, Any] = {
        "RoleArn": wanted.arn,
        "RoleSessionName": wanted.session_name,
        "Tags": [{"Key": key, "Value": value} for key, value in wanted.tags.items()],
    }
    return request if wanted.external_id is None else {**request, "ExternalId": wanted.external_id}


def _trust(wanted: RoleRequest, caller: CallerIdentity) -> str:
    """AWS gives the same answer for a role that is missing and one that does not trust us."""
    condition = f" under the external id {wanted.external_id}" if wanted.external_id else ""
    actions = "sts:AssumeRole and sts:TagSession" if wanted.tags else "sts:AssumeRole"
    return (
        f"Make the role, or let its trust policy allow account {caller.account} {actions}{condition}; the policies of "
        f"{caller.arn} must allow {'both' if wanted.tags else 'it'} as well."
    )
