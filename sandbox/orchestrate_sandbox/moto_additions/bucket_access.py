"""A bucket is its owner's.

In moto every account may do everything to every bucket (or, with a setting, nothing, whatever the bucket's policy
says), and `ExpectedBucketOwner` is ignored. In AWS another account is refused (403 AccessDenied) unless the bucket's
policy allows it, and a wrong expected owner is refused for everyone. And moto reads a bucket's policy without its
conditions, so that the usual "deny what is not TLS" denies everything; the sandbox counts as TLS.

Requests without a signature header (presigned addresses) are left to moto: it cannot tell their account.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response

from orchestrate_sandbox.moto_additions.callers import arns_of_caller
from orchestrate_sandbox.moto_additions.narrowed_sessions import session_allows
from orchestrate_sandbox.moto_additions.policies import Access, allows, applicable

_PERMISSIONS = {"HeadObject": "GetObject", "HeadBucket": "ListBucket"}
_CONTEXT = {"aws:SecureTransport": "true"}


class BucketAccessDenied(S3ClientError):  # type: ignore[misc]
    code = "AccessDenied"

    def __init__(self) -> None:
        super().__init__(message="Access Denied")
        self.status_code = 403


def apply() -> None:
    S3Response._authenticate_and_authorize_s3_action = _also_asking_the_owner(
        S3Response._authenticate_and_authorize_s3_action
    )
    FakeBucket.get_permission = _with_conditions(FakeBucket.get_permission)


def _with_conditions(get_permission: Callable[..., Any]) -> Callable[..., Any]:
    def judge(self: Any, action: str, resource: str) -> Any:
        whole = self.policy
        if whole is None:
            return get_permission(self, action, resource)
        applying = SimpleNamespace(policy=applicable(whole.decode(), _CONTEXT).encode())
        return get_permission(applying, action, resource)

    return judge


def _also_asking_the_owner(authorize: Callable[..., None]) -> Callable[..., None]:
    def authorize_and_ask(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        authorize(self, bucket_name=bucket_name, key_name=key_name)
        if bucket_name and "Authorization" in self.headers and not _may(self, bucket_name, key_name):
            raise BucketAccessDenied

    return authorize_and_ask


def _may(response: Any, bucket_name: str, key_name: str | None) -> bool:
    partition, owner = s3_backends.bucket_accounts.get(bucket_name, (None, None))
    if owner is None or response.data.get("Action") == "CreateBucket":
        return True  # moto's own answers: no such bucket, or a name that is taken
    expected = response.headers.get("x-amz-expected-bucket-owner")
    if expected is not None and expected != owner:
        return False
    if not _session_may(response, bucket_name, key_name):
        return False
    if response.current_account == owner:
        return True
    bucket = s3_backends[owner][partition].buckets[bucket_name]
    return allows(_text(bucket.policy), _access(response, bucket.arn, key_name))


def _session_may(response: Any, bucket_name: str, key_name: str | None) -> bool:
    """IAM's name of the permission, where that is not the action's ("Actions defined by Amazon S3")."""
    asked = response.data["Action"]
    action = "ListBucket" if asked.startswith("ListObject") else _PERMISSIONS.get(asked, asked)
    arn = f"arn:{response.partition}:s3:::{bucket_name}"
    return session_allows(response, f"s3:{action}", f"{arn}/{key_name}" if key_name else arn)


def _access(response: Any, bucket_arn: str, key_name: str | None) -> Access:
    return Access(
        account=response.current_account,
        arns=arns_of_caller(response),
        action=f"s3:{response.data['Action']}",
        resource=f"{bucket_arn}/{key_name}" if key_name else bucket_arn,
        context={**_CONTEXT, "aws:PrincipalAccount": response.current_account},
    )


def _text(policy: str | bytes | None) -> str | None:
    return policy.decode() if isinstance(policy, bytes) else policy
