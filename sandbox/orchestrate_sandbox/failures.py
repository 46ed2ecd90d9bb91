"""What a client is told that is not admitted, or when moto lacks an action or fails: an error in its protocol's form.

moto itself answers with an HTML page and status 500, at which the SDKs try again for minutes and some crash.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from orchestrate_sandbox.authentication import NotAdmitted

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/[^/,]+/(?P<service>[^/,]+)/aws4_request")
_XML_SERVICES = frozenset({"cloudfront", "route53"})
_FORM = "application/x-www-form-urlencoded"
# What the query protocol calls so, the others call otherwise.
_CODES = {
    "ec2": dict.fromkeys(
        ("InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken"), "AuthFailure"
    ),
    "json": {
        "AccessDenied": "AccessDeniedException",
        "InvalidClientTokenId": "UnrecognizedClientException",
        "MissingAuthenticationToken": "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch": "InvalidSignatureException",
    },
    "s3": {"InvalidClientTokenId": "InvalidAccessKeyId", "MissingAuthenticationToken": "AccessDenied"},
}


@dataclass(frozen=True)
class ApiRequest:
    """What a request says of itself: service by its signing name, action where the protocol names one."""

    service: str
    action: str
    protocol: str  # "json", "s3" (a bare <Error>), "ec2", or "query" and other XML

    @classmethod
    def of(cls, environ: dict[str, Any]) -> ApiRequest:
        found = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = found["service"] if found else "this service"
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        return cls(service, target or _action(environ), _protocol(service, environ))


@dataclass(frozen=True)
class ErrorAnswer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    message: str


def answer(asked: ApiRequest, error: Exception) -> ErrorAnswer:
    """403 for who is not admitted, 400 for what moto lacks (NotImplemented, never tried again), 500 for its faults."""
    if isinstance(error, NotAdmitted):
        status, why = "403 Forbidden", str(error)
        code = _CODES.get(asked.protocol, {}).get(error.code, error.code)
    elif isinstance(error, NotImplementedError):
        status, code, why = "400 Bad Request", "NotImplemented", "not in the sandbox"
    else:
        status, code, why = "500 Internal Server Error", "InternalFailure", f"failed in the sandbox: {error!r}"
    message = f"{asked.service} {asked.action}: {why}"
    content_type, body = _BODIES[asked.protocol](code, message)
    headers = [("Content-Type", content_type), ("x-amzn-ErrorType", code), ("Content-Length", str(len(body)))]
    return ErrorAnswer(status, headers, body, message)


def _action(environ: dict[str, Any]) -> str:
    if environ.get("CONTENT_TYPE", "").startswith(_FORM):
        form = parse_qs(environ["wsgi.input"].getvalue().decode(errors="replace"))
        if "Action" in form:
            return str(form["Action"][0])
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    return f"{method} {path}"


def _protocol(service: str, environ: dict[str, Any]) -> str:
    if service in ("ec2", "s3"):
        return service
    form: str = environ.get("CONTENT_TYPE", "")
    return "query" if service in _XML_SERVICES or form.startswith(_FORM) else "json"


def _json(code: str, message: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"__type": code, "message": message}).encode()


def _s3(code: str, message: str) -> tuple[str, bytes]:
    return "text/xml", f"<Error>{_fields(code, message)}</Error>".encode()


def query_body(code: str, message: str) -> tuple[str, bytes]:
    fields = f"<Error><Type>Sender</Type>{_fields(code, message)}</Error>"
    return "text/xml", f"<ErrorResponse>{fields}<RequestId>sandbox</RequestId></ErrorResponse>".encode()


def _ec2(code: str, message: str) -> tuple[str, bytes]:
    errors = f"<Errors><Error>{_fields(code, message)}</Error></Errors>"
    return "text/xml", f"<Response>{errors}<RequestID>sandbox</RequestID></Response>".encode()


def _fields(code: str, message: str) -> str:
    return f"<Code>{code}</Code><Message>{escape(message)}</Message>"


_BODIES = {"json": _json, "s3": _s3, "query": query_body, "ec2": _ec2}
