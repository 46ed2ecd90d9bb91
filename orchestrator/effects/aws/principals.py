"""Who is behind an answer, as IAM knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.effects.aws.session import Session
from orchestrator.model.approval.approval import Principal

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import RoleTypeDef


# Only IAM Identity Center can make roles there (its User Guide, "Referencing permission sets in resource policies").
_IDENTITY_CENTER_PATH = "/aws-reserved/sso.amazonaws.com/"
_IDENTITY_CENTER_NAME = "awsreservedsso_"


def _may_have_its_name(role: RoleTypeDef) -> bool:
    """Anybody who may create roles could name one like Identity Center's, and its sessions like other people."""
    ours = not role["RoleName"].lower().startswith(_IDENTITY_CENTER_NAME)
    return ours or role["Path"].startswith(_IDENTITY_CENTER_PATH)


def genuine(aws: Session, principal: Principal) -> bool:
    """Whether IAM has a role or user of that name with that unique id (IAM User Guide, "Unique identifiers").

    An answer's key proves the id alone; its author could write another role's name beside it.
    """
    account = aws.caller_identity().account
    if principal.account != account:
        return False
    unique_id, _, session = principal.user_id.partition(":")
    iam = aws.client("iam")
    with aws.explained("look up who answered", principal.arn):
        try:
            if principal.role is not None:
                role = iam.get_role(RoleName=principal.role)["Role"]
                return role["RoleId"] == unique_id and principal.name == session and _may_have_its_name(role)
            if principal.user is not None:
                return iam.get_user(UserName=principal.user)["User"]["UserId"] == principal.user_id
        except iam.exceptions.NoSuchEntityException:
            return False
    return principal.arn.endswith(":root") and principal.user_id == account
