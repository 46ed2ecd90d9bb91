"""A server between a program and the emulated AWS that fails some of the requests, or holds them back.

Programs are given its address as AWS_ENDPOINT_URL. It never changes what it passes on.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import urlsplit

_SKIPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True)
class FaultRequest:
    """A request; `service` is s3, dynamodb or sts, `action` what DynamoDB or STS is asked to do."""

    method: str
    path: str
    service: str
    action: str
    body: bytes


@dataclass(frozen=True)
class InjectedFault:
    """An error instead of AWS's answer; where it is `late`, AWS has carried the request out all the same."""

    status: int
    code: str
    late: bool = False


Rule: TypeAlias = Callable[[FaultRequest], InjectedFault | None]
"""Asked for each request, by the thread that serves it; it may wait before it answers."""


@contextlib.contextmanager
def between(endpoint: str, rule: Rule) -> Iterator[str]:
    """The address of such a server, as long as the block lasts."""
    server = _FaultServer(("127.0.0.1", 0), _FaultConnection)
    server.upstream, server.rule = urlsplit(endpoint).netloc, rule
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


class _FaultServer(ThreadingHTTPServer):
    daemon_threads = True
    upstream: str
    rule: Rule

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asked was killed: nobody waits for the answer."""


class _FaultConnection(BaseHTTPRequestHandler):
    server: _FaultServer
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a kept connection may be idle

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = _asked(self.command, self.path, self.headers, body)
        fault = self.server.rule(asked)
        if fault is None or fault.late:
            status, headers, content = _passed_on(self.server.upstream, asked, self.headers)
        if fault is not None:
            status, headers, content = fault.status, *_error(asked.service, fault.code)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command == "HEAD":
            self.end_headers()
            return
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _asked(method: str, path: str, headers: Message, body: bytes) -> FaultRequest:
    target = headers.get("X-Amz-Target", "")
    if target:
        return FaultRequest(method, path, "dynamodb", target.rpartition(".")[2], body)
    if "application/x-www-form-urlencoded" in headers.get("Content-Type", ""):
        return FaultRequest(method, path, "sts", body.decode().partition("Action=")[2].partition("&")[0], body)
    return FaultRequest(method, path, "s3", "", body)


def _passed_on(upstream: str, asked: FaultRequest, given: Message) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = {name: value for name, value in given.items() if name.lower() not in {"connection", "expect"}}
    connection = http.client.HTTPConnection(upstream, timeout=60)
    with contextlib.closing(connection):
        connection.request(asked.method, asked.path, asked.body, headers)
        answer = connection.getresponse()
        content = answer.read()
    skipped = _SKIPPED - ({"content-length"} if asked.method == "HEAD" else set())
    return answer.status, [(n, v) for n, v in answer.getheaders() if n.lower() not in skipped], content


def _error(service: str, code: str) -> tuple[list[tuple[str, str]], bytes]:
    """As each service words it."""
    if service == "dynamodb":
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected"})
        return [("Content-Type", "application/x-amz-json-1.0")], body.encode()
    error = f"<Code>{code}</Code><Message>injected</Message>"
    if service == "s3":
        return [("Content-Type", "application/xml")], f"<Error>{error}<RequestId>injected</RequestId></Error>".encode()
    whole = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>injected</RequestId></ErrorResponse>"
    return [("Content-Type", "text/xml")], whole.encode()
