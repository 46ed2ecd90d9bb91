"""Signature Version 4, verified. Pure.

Source: "Create a signed AWS API request" (IAM User Guide). SDKs write the path and the query of what they sign in a few
ways; each of them is tried, since none of them can be made without the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
_SCOPE = r"(?P<key>[A-Za-z0-9-]{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]{1,40})/(?P<service>[A-Za-z0-9-]{1,60})"
_CREDENTIAL = re.compile(rf"{_SCOPE}/aws4_request")
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<credential>{_SCOPE}/aws4_request), *"
    r"SignedHeaders=(?P<headers>[a-z0-9!#$%&'*+.^_`|~;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_HASH = re.compile("[0-9a-f]{64}")
_UNRESERVED = "-_.~"
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class HttpRequest:
    """As it was sent: `path` and `query` undecoded, headers by their names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Signature:
    """What a request says of its signature, in its headers or (`in_query`) in its address."""

    key_id: str
    scope: str
    service: str
    date: str
    headers: tuple[str, ...]
    value: str
    token: str | None
    in_query: bool


def signature_of(request: HttpRequest) -> Signature | None:
    """None where it has none of this kind."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return None if "authorization" in request.headers else _in_query(request)
    return Signature(
        key_id=found["key"],
        scope=found["credential"].partition("/")[2],
        service=found["service"],
        date=request.headers.get("x-amz-date") or request.headers.get("date", ""),
        headers=tuple(found["headers"].split(";")),
        value=found["signature"],
        token=request.headers.get("x-amz-security-token"),
        in_query=False,
    )


def _in_query(request: HttpRequest) -> Signature | None:
    """A presigned address."""
    given = {unquote(name): unquote(value) for name, value in _pairs(request.query)}
    found = _CREDENTIAL.fullmatch(given.get("X-Amz-Credential", ""))
    if found is None or given.get("X-Amz-Algorithm") != ALGORITHM:
        return None
    return Signature(
        key_id=found["key"],
        scope=found[0].partition("/")[2],
        service=found["service"],
        date=given.get("X-Amz-Date", ""),
        headers=tuple(given.get("X-Amz-SignedHeaders", "").split(";")),
        value=given.get("X-Amz-Signature", ""),
        token=given.get("X-Amz-Security-Token"),
        in_query=True,
    )


def is_of(request: HttpRequest, signature: Signature, secret: str) -> bool:
    """Whether who signed knew the secret, and signed this: method, address, host and body."""
    payload = _payload(request, signature)
    if payload is None or "host" not in signature.headers:
        return False
    key = _signing_key(secret, signature.scope)
    return any(
        hmac.compare_digest(_hmac(key, text).hex(), signature.value) for text in _texts(request, signature, payload)
    )


def _payload(request: HttpRequest, signature: Signature) -> str | None:
    """What stands for the body in the signed text; None where it is the hash of another body."""
    digest = hashlib.sha256(request.body).hexdigest()
    if signature.in_query:
        return "UNSIGNED-PAYLOAD" if signature.service == "s3" else _EMPTY
    said = request.headers.get("x-amz-content-sha256", digest)
    return None if _HASH.fullmatch(said) and said != digest else said


def _texts(request: HttpRequest, signature: Signature, payload: str) -> Iterator[str]:
    names = signature.headers
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    for path, query in itertools.product(_paths(request.path), _queries(request.query, signature)):
        canonical = "\n".join([request.method, path, query, headers, ";".join(names), payload])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        yield "\n".join([ALGORITHM, signature.date, signature.scope, digest])


def _paths(path: str) -> list[str]:
    """S3 signs the path as it is sent; the others encode it again, some without its dots and double slashes."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    tidy = "/" + "/".join(parts) + ("/" if parts and path.endswith("/") else "")
    return list(dict.fromkeys([path, quote(path, safe=f"/{_UNRESERVED}"), quote(tidy, safe=f"/{_UNRESERVED}")]))


def _queries(query: str, signature: Signature) -> list[str]:
    pairs = _pairs(query)
    if signature.in_query:
        pairs = [(name, value) for name, value in pairs if name != "X-Amz-Signature"]
    encoded = [(_encoded(name), _encoded(value)) for name, value in pairs]
    return list(dict.fromkeys("&".join(f"{name}={value}" for name, value in sorted(some)) for some in (encoded, pairs)))


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]


def _encoded(text: str) -> str:
    return quote(unquote(text), safe=_UNRESERVED)


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
