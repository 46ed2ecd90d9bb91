"""AssumeRole asks the role's trust policy.

moto hands out a session for any role ARN, even of a role that does not exist. AWS refuses with AccessDenied unless the
role exists and its trust policy allows the caller `sts:AssumeRole`, under its conditions (`sts:ExternalId` above all),
and `sts:TagSession` where session tags are passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse
from werkzeug.exceptions import HTTPException

from orchestrate_sandbox import failures
from orchestrate_sandbox.moto_additions.callers import arns_of_caller
from orchestrate_sandbox.moto_additions.narrowed_sessions import session_allows
from orchestrate_sandbox.moto_additions.policies import Access, allows


class TrustDenied(HTTPException):  # type: ignore[misc]
    """What moto's dispatch turns into an answer with this status and body."""

    code = 403

    def __init__(self, message: str) -> None:
        content_type, body = failures.query_body("AccessDenied", message)
        super().__init__(body.decode())
        self._content_type = content_type

    def get_headers(self, *_: object, **__: object) -> list[tuple[str, str]]:
        return [("Content-Type", self._content_type)]


def apply() -> None:
    TokenResponse.assume_role = _asking_first(TokenResponse.assume_role)


def _asking_first(assume_role: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def asking_first(self: Any) -> Any:
        arn = self._get_param("RoleArn")
        for action in _actions(self):
            if reason := _refusal(self, arn, action):
                user = min(arns_of_caller(self), key=_sessions_first)
                raise TrustDenied(
                    f"User: {user} is not authorized to perform: {action} on resource: {arn} (sandbox: {reason})"
                )
        return assume_role(self)

    return asking_first


def _actions(response: Any) -> list[str]:
    return ["sts:AssumeRole", *(["sts:TagSession"] if response._get_param("Tags") else [])]


def _refusal(response: Any, arn: str, action: str) -> str | None:
    role = _role(arn, response.partition)
    if role is None:
        return "there is no such role"
    if not session_allows(response, action, arn):
        return "the session policy does not allow it"
    access = Access(
        account=response.current_account,
        arns=arns_of_caller(response),
        action=action,
        context=_context(response),
    )
    return None if allows(role.assume_role_policy_document, access) else "its trust policy does not allow it"


def _role(arn: str, partition: str) -> Any | None:
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    known = iam_backends[account][partition].roles.values() if account in iam_backends else ()
    return next((role for role in known if role.arn == arn), None)


def _context(response: Any) -> dict[str, str | tuple[str, ...]]:
    passed = response._get_param("Tags") or []
    given = {
        "sts:ExternalId": response._get_param("ExternalId"),
        "sts:RoleSessionName": response._get_param("RoleSessionName"),
        "aws:PrincipalAccount": response.current_account,
        "aws:PrincipalArn": min(arns_of_caller(response), key=_roles_first),
    }
    tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in passed}
    known = {name: value for name, value in (given | tags).items() if value is not None}
    return {**known, "aws:TagKeys": tuple(tag["Key"] for tag in passed)}


def _roles_first(arn: str) -> bool:
    return ":iam:" not in arn


def _sessions_first(arn: str) -> bool:
    return ":sts:" not in arn
