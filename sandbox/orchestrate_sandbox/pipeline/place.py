"""Where this process serves its sandbox, and what may be set in it while it runs.

One sandbox for each process, as moto's own backends are the process's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from orchestrate_sandbox.keys import SandboxKeys
from orchestrator.model.text import decoding


@dataclass(frozen=True)
class Workplace:
    """`own` is made when it is needed and gone with the server."""

    endpoint: str
    proxy: str
    own: Path
    keys: SandboxKeys

    @property
    def folder(self) -> Path:
        """For git repositories and builds; nobody else's to read."""
        self.own.mkdir(mode=0o700, exist_ok=True)
        return self.own

    def within(self, *parts: str) -> Path:
        """A path below the folder. ValueError where it would lead out of it, by its name or by a link."""
        base = self.folder.resolve()
        path = base.joinpath(*parts)
        if path.resolve() != path or path == base or not path.is_relative_to(base):
            raise ValueError(f"{'/'.join(parts)} is not in the sandbox's own folder")
        return path


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of the emulated services. `POST /sandbox-api/settings` changes those that it names."""

    minute_seconds: float = 60.0
    """How long a minute of a time limit lasts: approvals and builds are limited in whole minutes."""
    concurrent_executions: int = 50
    """Of one pipeline, in the modes PARALLEL and QUEUED; more are refused as in AWS."""
    concurrent_builds: int = 2 * (os.cpu_count() or 2)
    """Of all projects; more are queued, as AWS does up to the account's quota."""
    throttled_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Of the requests about executions, as many are refused with ThrottlingException; which ones, chance decides."""


_place: Workplace | None = None
_settings = Settings()


def settle(place: Workplace) -> None:
    global _place
    _place = place


def here() -> Workplace:
    assert _place is not None, "the server settles before it serves"
    return _place


def settings() -> Settings:
    return _settings


def change(changes: bytes) -> None:
    """`changes` is a JSON object; raises msgspec.DecodeError for anything that Settings has not."""
    global _settings
    merged = {**msgspec.to_builtins(_settings), **decoding.decode(changes, dict[str, object])}
    _settings = decoding.convert(merged, Settings)


def as_they_were() -> None:
    """For a reset."""
    global _settings
    _settings = Settings()
