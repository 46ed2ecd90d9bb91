"""Who is behind an answer, as IAM knows it."""

from __future__ import annotations

from orchestrator.effects.aws.session import Session
from orchestrator.model.approval.approval import Principal


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
                same = iam.get_role(RoleName=principal.role)["Role"]["RoleId"] == unique_id
                return same and principal.name == session
            if principal.user is not None:
                return iam.get_user(UserName=principal.user)["User"]["UserId"] == principal.user_id
        except iam.exceptions.NoSuchEntityException:
            return False
    return principal.arn.endswith(":root") and principal.user_id == account
