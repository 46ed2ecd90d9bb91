"""Requests to the sandbox's server that are no part of AWS."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Protocol

from orchestrate_sandbox.keys import SECRET_HEADER
from orchestrator.errors import DependencyError

_SECONDS = 30.0


class Reachable(Protocol):
    """A sandbox whose secret is known."""

    @property
    def endpoint(self) -> str: ...

    @property
    def secret(self) -> str: ...


def post(sandbox: Reachable, path: str, body: bytes) -> bytes:
    """The answer's body; never through a proxy. Raises DependencyError where there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Content-Type": "text/plain", SECRET_HEADER: sandbox.secret}
    request = urllib.request.Request(sandbox.endpoint + path, body, headers, method="POST")  # noqa: S310  (our own)
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            answer: bytes = response.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise DependencyError(
            f"the sandbox does not answer: {error}",
            hint="Start anew: `orchestrate sandbox down`, then `orchestrate sandbox up`.",
        ) from None
    return answer
