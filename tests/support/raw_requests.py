"""Requests to the emulated AWS as they are sent: signed by botocore, changed afterwards, or not signed at all."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from orchestrate_sandbox.process import Sandbox


@dataclass(frozen=True)
class RawRequest:
    """`host` is what the header says, where it is not the sandbox's own."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    host: str | None = None

    def signed(self, sandbox: Sandbox, service: str = "sts", **keys: str) -> RawRequest:
        """By the sandbox's own key, unless `keys` has another, by the names of boto3's parameters."""
        known = Credentials(
            keys.get("aws_access_key_id", sandbox.env["AWS_ACCESS_KEY_ID"]),
            keys.get("aws_secret_access_key", sandbox.env["AWS_SECRET_ACCESS_KEY"]),
            keys.get("aws_session_token"),
        )
        host = self.host or urlsplit(sandbox.endpoint).netloc
        request = AWSRequest(self.method, f"http://{host}{self.path}", dict(self.headers), self.body)
        make = S3SigV4Auth if service == "s3" else SigV4Auth
        make(known, service, "us-east-1").add_auth(request)
        return RawRequest(self.method, self.path, self.body, dict(request.headers.items()), self.host)

    def send(self, address: str) -> RawAnswer:
        """Over a connection to the address, whatever the header `Host` says."""
        netloc = urlsplit(address).netloc
        connection = http.client.HTTPConnection(netloc, timeout=30)
        try:
            connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            given = {"Host": self.host or netloc, "Content-Length": str(len(self.body)), **self.headers}
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return RawAnswer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: Mapping[str, str]
    text: str
