"""moto's server as the sandbox runs it: our additions applied, failures told in AWS's own form, filled with accounts.

The WSGI application stands around moto's own and changes five things: nothing is answered to who does not know the
sandbox's keys, requests that must be atomic are (moto checks and acts in two steps, on several threads), an action that
moto lacks is a clear error that no client retries for minutes, a reset fills the emulator again, and the paths below
`/sandbox-api/` are no part of AWS.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from moto.core.responses import BaseResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import NotFound
from werkzeug.serving import make_server

from orchestrate_sandbox import accounts, authentication, failures, moto_additions
from orchestrate_sandbox.authentication import NotAdmitted
from orchestrate_sandbox.keys import SECRET_HEADER, SandboxKeys
from orchestrate_sandbox.layout import RESET_PATH, SandboxLayout, decode
from orchestrate_sandbox.pipeline import forgetting, private_api
from orchestrate_sandbox.pipeline.repositories import RECEIVED_PATH
from orchestrate_sandbox.signatures import HttpRequest

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

ONE_AT_A_TIME = frozenset({"dynamodb", "ec2", "elb", "iam", "kms", "logs", "s3", "sts"})
"""Services whose requests wait for each other, by moto's names (elb: all load balancing). None of them waits within a
request, as SQS does."""


_HOSTS = 1000
_BODILESS = frozenset({204, 304})
_CLIENT_CLOSES_WITHIN = 5.0  # seconds
_HEADERS = "sandbox.headers"  # of a request, in its environment, as they were sent
_MOTO_PREFIX = "/moto-api"


def serve(layout: SandboxLayout, keys: SandboxKeys) -> str:
    """Starts serving on a free loopback port and returns the endpoint; the threads end with the process."""
    _use_default_account(layout.tooling_account)
    BaseResponse.call_action = _known_actions_only(BaseResponse.call_action)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Emulator(layout, keys), threaded=True, request_handler=_QuietHandler)
    os.environ["MOTO_PORT"] = str(server.server_port)  # services of moto that call themselves read it
    threading.Thread(target=server.serve_forever, name="emulator", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _use_default_account(account: str) -> None:
    """The account of requests whose access key moto has not issued. Its modules copy the name when imported."""
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.") and hasattr(module, "DEFAULT_ACCOUNT_ID"):
            vars(module)["DEFAULT_ACCOUNT_ID"] = account


def _known_actions_only(call_action: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """moto answers 404 where it knows no action for a path, which clients take for "the thing is not there"."""

    def call_known_action(self: Any) -> Any:
        if not self._get_action():
            raise NotImplementedError
        return call_action(self)

    return call_known_action


def _create_application(service: str | None) -> Any:
    """moto's application of one service, made at its first request; so is what we add to that service."""
    if service is None:
        raise NotImplementedError
    moto_additions.apply(service)
    application = create_backend_app(service)
    application.register_error_handler(NotFound, _no_such_path)
    return application


def _no_such_path(_: NotFound) -> None:
    raise NotImplementedError


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]
    """Answers each request in one piece, keeps the connection for the next one, and lets the client close first.

    werkzeug closes after each request. Making a connection and a thread costs as much as most answers; and closing at
    once may reset the connection before a busy client has read the answer: it then asks again, and a conditional write
    that was carried out is refused the second time.
    """

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def make_environ(self) -> Environ:
        """Sends `100 Continue`, where it was asked for: S3's clients wait a second for it before they send a body."""
        self.wfile.flush()
        environ: Environ = super().make_environ()
        names = dict.fromkeys(name.lower() for name in self.headers)
        environ[_HEADERS] = {name: ",".join(self.headers.get_all(name, [])) for name in names}
        return environ

    def run_wsgi(self) -> None:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            begun.append((status, headers))

        body = b"".join(self.server.app(self.make_environ(), start_response))
        status, headers = begun[-1]
        self._answer(int(status.partition(" ")[0]), headers, body)

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        bodiless = self.command == "HEAD" or status in _BODILESS
        for name, value in headers:
            if bodiless or name.lower() != "content-length":  # of HEAD, that of the object
                self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if bodiless else body)

    def log_request(self, *_: object) -> None:
        """The log is for failures: a release makes hundreds of requests."""

    def finish(self) -> None:
        super().finish()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_CLIENT_CLOSES_WITHIN)
            while self.connection.recv(1 << 16):
                pass


class Emulator:
    """The WSGI application."""

    def __init__(self, layout: SandboxLayout, keys: SandboxKeys) -> None:
        self._keys = keys
        self._moto = DomainDispatcherApplication(_create_application)
        # moto looks through a folder and some hundred patterns for every request: a fifth of the time that many take.
        self._moto.get_backend_for_host = lru_cache(_HOSTS)(self._moto.get_backend_for_host)
        self._locks = {service: threading.Lock() for service in ONE_AT_A_TIME}
        self._layout = layout
        accounts.fill(layout)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            _read_body(environ)
            self._admit(environ)
            if environ["PATH_INFO"].startswith(private_api.PREFIX):
                return _not_of_aws(environ, start_response)
            if environ["PATH_INFO"] == RESET_PATH and environ["REQUEST_METHOD"] == "POST":
                return self._reset(environ, start_response)
            application = self._moto.get_application(environ)
            with self._turn(application.service):
                return list(application(environ, start_response))
        except Exception as error:  # whatever moto raises, the client gets an answer in AWS's form
            return _failed(environ, start_response, error)

    def _admit(self, environ: Environ) -> None:
        """Raises NotAdmitted. A hook's token is judged where it is known what the hook tells."""
        request, path = _request(environ), environ["PATH_INFO"]
        authentication.check_origin(request, int(environ["SERVER_PORT"]))
        if not path.startswith((private_api.PREFIX, _MOTO_PREFIX)):
            authentication.check_signature(request, self._keys)
            return
        if path != RECEIVED_PATH:
            authentication.check_owner(request, self._keys)
        environ["CONTENT_TYPE"] = "text/plain"  # curl says of every body that it is a form, and moto reads it as one

    def _turn(self, service: str) -> contextlib.AbstractContextManager[Any]:
        return self._locks.get(service, contextlib.nullcontext())

    def _reset(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].getvalue()
        layout = decode(body) if body else self._layout
        forgetting.end_what_runs()
        with contextlib.ExitStack() as stack:
            for lock in self._locks.values():
                stack.enter_context(lock)
            answer = list(self._moto(environ, start_response))
            forgetting.forget()
            self._layout = layout
            accounts.fill(layout)
        return answer


def _read_body(environ: Environ) -> None:
    """Before any lock is taken, so that a slow upload keeps nobody waiting."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    ends_by_itself = environ.get("wsgi.input_terminated", False)  # a chunked body
    environ["wsgi.input"] = io.BytesIO(stream.read() if ends_by_itself else stream.read(int(length or 0)))


def _request(environ: Environ) -> HttpRequest:
    path, _, query = environ["REQUEST_URI"].partition("?")
    body = environ["wsgi.input"].getvalue()
    return HttpRequest(environ["REQUEST_METHOD"], path, query, environ[_HEADERS], body)


def _not_of_aws(environ: Environ, start_response: StartResponse) -> list[bytes]:
    token = environ[_HEADERS].get(SECRET_HEADER, "")
    status, body = private_api.answer(environ["PATH_INFO"], environ["wsgi.input"].getvalue(), token)
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


def _failed(environ: Environ, start_response: StartResponse, error: Exception) -> list[bytes]:
    if not isinstance(error, NotImplementedError | NotAdmitted):
        traceback.print_exception(error, file=sys.stderr)
    answer = failures.answer(failures.ApiRequest.of(environ), error)
    sys.stderr.write(f"sandbox: {answer.message}\n")
    start_response(answer.status, answer.headers, sys.exc_info())
    return [answer.body]
