"""What is no API of AWS: pushes, told by the hooks of the git repositories, and the sandbox's settings."""

from __future__ import annotations

import hmac

import msgspec

from orchestrate_sandbox.pipeline import place, pushes, repositories
from orchestrate_sandbox.pipeline.repositories import RECEIVED_PATH, Push
from orchestrate_sandbox.remotes import REMOTES_PATH, Remote
from orchestrator.model.text import decoding

PREFIX = "/sandbox-api/"
_SETTINGS_PATH = PREFIX + "settings"


def answer(path: str, body: bytes, token: str) -> tuple[str, bytes]:
    """Status and plain text; JSON for settings, which a POST with an empty object only reads.

    `token` is what a hook knows; for all else the server has asked for the sandbox's secret.
    """
    try:
        if path == RECEIVED_PATH:
            return _received(decoding.decode(body, Push), token)
        if path == REMOTES_PATH:
            return "200 OK", msgspec.json.encode([_remote(location) for location in repositories.every()])
        if path == _SETTINGS_PATH:
            place.change(body or b"{}")
            return "200 OK", msgspec.json.encode(place.settings())
    except (msgspec.DecodeError, ValueError) as error:
        return "400 Bad Request", f"{error}\n".encode()
    return "404 Not Found", b"there is no such path\n"


def _received(push: Push, token: str) -> tuple[str, bytes]:
    expected = place.here().keys.push_token(push.account, push.region, push.repository)
    if not hmac.compare_digest(token.encode(), expected.encode()):
        return "403 Forbidden", b"only the repository's own hook tells of its pushes\n"
    return "200 OK", pushes.received(push).encode()


def _remote(location: repositories.Location) -> Remote:
    return Remote(location.name, location.account, location.region, str(location.folder))
