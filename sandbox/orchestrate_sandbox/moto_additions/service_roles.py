"""Services of AWS act under roles: whether one may assume a role, and the credentials of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from orchestrate_sandbox.moto_additions.policies import Access, allows

_SESSION_SECONDS = 3600


class MayNotAssume(Exception):
    """The role does not exist, or its trust policy does not name the service."""


@dataclass(frozen=True)
class Caller:
    """A service that acts for a resource of somebody's: `arn` is the resource's, `session` the session's name."""

    service: str
    arn: str
    session: str


def refusal(role_arn: str, service: str, account: str, source: str | None = None) -> str | None:
    """Why the service may not assume the role for a resource (`source`) of that account; None where it may."""
    role = find(role_arn)
    if role is None:
        return "there is no such role"
    access = Access(
        account=account,
        arns=frozenset({service}),
        action="sts:AssumeRole",
        context={"aws:SourceAccount": account, **({"aws:SourceArn": source} if source else {})},
        service=service,
    )
    return None if allows(role.assume_role_policy_document, access) else f"its trust policy does not allow {service}"


def session(role_arn: str, region: str, caller: Caller) -> dict[str, str]:
    """The credentials, by the names of boto3's parameters; raises MayNotAssume."""
    account = role_arn.split(":")[4]
    if reason := refusal(role_arn, caller.service, account, caller.arn):
        raise MayNotAssume(f"{caller.service} may not assume {role_arn} for {caller.arn}: {reason}")
    made = sts_backends[account][get_partition(region)].assume_role(
        region_name=region,
        role_session_name=caller.session,
        role_arn=role_arn,
        policy=None,
        duration=_SESSION_SECONDS,
        external_id=None,
    )
    return {
        "aws_access_key_id": made.access_key_id,
        "aws_secret_access_key": made.secret_access_key,
        "aws_session_token": made.session_token,
    }


def find(arn: str) -> Any | None:
    """moto's role with that ARN."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[4] not in iam_backends:
        return None
    return next((role for role in iam_backends[parts[4]][parts[1]].roles.values() if role.arn == arn), None)
