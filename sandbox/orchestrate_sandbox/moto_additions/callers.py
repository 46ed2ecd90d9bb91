"""Who is calling, from one of moto's response objects."""

from __future__ import annotations

from typing import Any

from moto.sts.models import sts_backends


def arns_of_caller(response: Any) -> frozenset[str]:
    """The names by which a policy may know the caller: the session's and its role's, or the user's."""
    backend = sts_backends[response.current_account][response.partition]
    key = response.get_access_key()
    _, arn, _ = backend.get_caller_identity(key, response.region)
    session = backend.get_assumed_role_from_access_key(key)
    return frozenset({arn} if session is None else {arn, session.role_arn})
