"""The per-user cache: folders of files named by content, safe under concurrent runs."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def cache_folder(env: Mapping[str, str]) -> Path:
    """$ORCHESTRATE_CACHE, else `orchestrate` in the user's cache folder (XDG, or ~/Library/Caches on macOS)."""
    if own := env.get("ORCHESTRATE_CACHE"):
        return Path(own).absolute()
    if base := env.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "orchestrate"
    home = Path(env.get("HOME") or Path.home())
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "orchestrate"


def is_ours(status: os.stat_result) -> bool:
    """Nobody else owns it or may write in it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@dataclass(frozen=True)
class Cache:
    """Small values by kind and key; a key must hold everything that the value depends on."""

    folder: Path

    def get(self, kind: str, key: str) -> bytes | None:
        """None also for what another user has put there, or could have: that is as good as not there."""
        try:
            descriptor = os.open(self.folder / kind / key, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            status, folder = os.fstat(descriptor), (self.folder / kind).stat()
            return file.read() if stat.S_ISREG(status.st_mode) and all(map(is_ours, (status, folder))) else None

    def put(self, kind: str, key: str, value: bytes) -> None:
        place = self.folder / kind
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=place)  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(value)
        os.replace(name, place / key)
