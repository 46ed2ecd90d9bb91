"""What is no API of AWS: pushes, told by the hooks of the git repositories, and the sandbox's settings."""

from __future__ import annotations

import msgspec

from orchestrator.model.text import decoding
from orchestrator.sandbox.pipeline import place, pushes, repositories
from orchestrator.sandbox.pipeline.repositories import RECEIVED_PATH, Push
from orchestrator.sandbox.remotes import REMOTES_PATH, Remote

PREFIX = "/sandbox-api/"
_SETTINGS_PATH = PREFIX + "settings"


def answer(path: str, body: bytes) -> tuple[str, bytes]:
    """Status and plain text; JSON for settings, which a POST with an empty object only reads."""
    try:
        if path == RECEIVED_PATH:
            return "200 OK", pushes.received(decoding.decode(body, Push)).encode()
        if path == REMOTES_PATH:
            return "200 OK", msgspec.json.encode([_remote(location) for location in repositories.every()])
        if path == _SETTINGS_PATH:
            place.change(body or b"{}")
            return "200 OK", msgspec.json.encode(place.settings())
    except msgspec.DecodeError as error:
        return "400 Bad Request", f"{error}\n".encode()
    return "404 Not Found", b"there is no such path\n"


def _remote(location: repositories.Location) -> Remote:
    return Remote(location.name, location.account, location.region, str(location.folder))
