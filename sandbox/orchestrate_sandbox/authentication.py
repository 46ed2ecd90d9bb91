"""Who may ask this sandbox anything: those who know its keys, from this machine, and no page in a browser.

Its port is open to every program and every user of the machine, and its builds run commands as the user who started it.
So each request is signed with a key of this sandbox: the one that it hands out, or one that its emulated IAM or STS has
issued. Pages are kept out twice: they can neither sign, nor ask from another origin or under a name of their own.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from orchestrate_sandbox.keys import KEY_ID, SECRET_HEADER, SERVICES_ID, SandboxKeys
from orchestrate_sandbox.signatures import HttpRequest, Signature, is_of, signature_of

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ACCOUNT = re.compile("[0-9]{12}")
_ACCOUNT_HEADER = "x-moto-account-id"
_OF_PAGES = ("origin", "access-control-request-method", "access-control-request-headers")


class NotAdmitted(Exception):
    """`code` is AWS's, as the query protocol has it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class IssuedKey:
    """`token` is that of a session."""

    secret: str
    token: str | None = None


def check_origin(request: HttpRequest, port: int) -> None:
    """Raises NotAdmitted for what a browser sends for a page, and for another machine's name.

    A name that leads here only by DNS is an outsider's way around the origin. Who signs a request may have sent it to
    another port of this machine, where something passes it on.
    """
    if request.method == "OPTIONS" or any(name in request.headers for name in _OF_PAGES):
        raise NotAdmitted("AccessDenied", "the sandbox answers no page in a browser")
    host, its_port = _host_and_port(request.headers.get("host", ""))
    if host not in _LOOPBACK or (its_port != port and signature_of(request) is None):
        raise NotAdmitted("AccessDenied", f"the sandbox answers only to 127.0.0.1:{port}")


def _host_and_port(text: str) -> tuple[str, int | None]:
    try:
        found = urlsplit(f"//{text}")
        plain = found.netloc == text and found.username is None
        return (found.hostname or "", found.port) if plain else ("", None)
    except ValueError:
        return "", None


def check_owner(request: HttpRequest, keys: SandboxKeys) -> None:
    """For paths that are no part of AWS: the secret itself, or a signature with it. A session is not enough."""
    if hmac.compare_digest(request.headers.get(SECRET_HEADER, "").encode(), keys.secret.encode()):
        return
    signature = signature_of(request)
    if signature is None or signature.key_id != KEY_ID or not is_of(request, signature, keys.secret):
        raise NotAdmitted("AccessDenied", "this path needs the sandbox's own key (AWS_SECRET_ACCESS_KEY)")


def check_signature(request: HttpRequest, keys: SandboxKeys) -> None:
    """Raises NotAdmitted unless it is signed with a key of this sandbox, and acts in no account but the key's."""
    signature = signature_of(request)
    if signature is None:
        raise NotAdmitted("MissingAuthenticationToken", "the request is not signed with a key of this sandbox")
    key = _issued(signature, keys)
    if key is None:
        raise NotAdmitted("InvalidClientTokenId", "this sandbox has not issued the access key")
    if key.token is not None and not hmac.compare_digest((signature.token or "").encode(), key.token.encode()):
        raise NotAdmitted("InvalidClientTokenId", "the session token is not the access key's")
    if not is_of(request, signature, key.secret):
        raise NotAdmitted("SignatureDoesNotMatch", "the signature is not made with the access key's secret")
    account = request.headers.get(_ACCOUNT_HEADER)
    if account is not None and (signature.key_id != SERVICES_ID or _ACCOUNT.fullmatch(account) is None):
        raise NotAdmitted("AccessDenied", f"{_ACCOUNT_HEADER} is for the emulated services")


def _issued(signature: Signature, keys: SandboxKeys) -> IssuedKey | None:
    if signature.key_id == KEY_ID:
        return IssuedKey(keys.secret)
    if signature.key_id == SERVICES_ID:
        return IssuedKey(keys.services)
    return _issued_by_moto(signature.key_id)


def _issued_by_moto(key_id: str) -> IssuedKey | None:
    """A key of a user or of a session."""
    from moto.iam.models import iam_backends

    for account, partitions in list(iam_backends.items()):
        for partition, backend in list(partitions.items()):
            if key_id in backend.access_keys and _ACCOUNT.fullmatch(account):
                return _of_session(account, partition, key_id) or _of_user(backend, key_id)
    return None


def _of_session(account: str, partition: str, key_id: str) -> IssuedKey | None:
    from moto.sts.models import sts_backends

    session = sts_backends[account][partition].get_assumed_role_from_access_key(key_id)
    return session and IssuedKey(session.secret_access_key, session.session_token)


def _of_user(backend: Any, key_id: str) -> IssuedKey | None:
    """None for one that is no longer active."""
    key = backend.access_keys[key_id]
    return IssuedKey(key.secret_access_key) if key.user_name and key.status == "Active" else None
