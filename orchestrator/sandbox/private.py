"""Requests to the sandbox's server that are no part of AWS."""

from __future__ import annotations

import urllib.error
import urllib.request

from orchestrator.errors import DependencyError

_SECONDS = 30.0


def post(url: str, body: bytes) -> bytes:
    """The answer's body; never through a proxy. Raises DependencyError where there is none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    # A body of the type that web forms have, urllib's default, would be read as one by the emulator.
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  (an address of our own server)
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            answer: bytes = response.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise DependencyError(
            f"the sandbox does not answer: {error}",
            hint="Start anew: `orchestrate sandbox down`, then `orchestrate sandbox up`.",
        ) from None
    return answer
