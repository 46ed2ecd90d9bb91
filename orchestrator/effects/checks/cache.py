"""What tools found, kept by everything that it depends on: on this machine, and in the release bucket for everyone.

A key is the digest of the source, the tools' versions and the settings they ran with. An entry that cannot be read,
is not ours, or says that it belongs to another key, is as good as none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from orchestrator.effects.system import outlet
from orchestrator.effects.system.cache import Cache
from orchestrator.errors import DependencyError
from orchestrator.model.checks.check import Observed
from orchestrator.model.text import decoding
from orchestrator.model.text.canonical import canonical_json

if TYPE_CHECKING:
    from orchestrator.effects.aws.objects import Bucket

_KIND = "checks"
_KEPT_SECONDS = 30 * 24 * 3600
_SCRATCH_SECONDS = 24 * 3600


class _CacheEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str
    observed: Observed


@dataclass(frozen=True)
class CheckCache:
    """`shared` is the release bucket, where there is one to ask; without it, or without AWS, this machine's serves."""

    local: Cache
    shared: Bucket | None = None

    def get(self, key: str, name: str) -> Observed | None:
        """What is kept under `key`; on this machine it has a name of its own. None where nothing can be trusted."""
        found = _decode(key, self.local.get(_KIND, name) if self._ours(name) else None)
        if found is None and self.shared is not None:
            with contextlib.suppress(DependencyError):
                found = _decode(key, self.shared.get(_object(key)))
            if found is not None:
                self._keep(key, name, found)
        return found

    def put(self, key: str, name: str, observed: Observed) -> None:
        """A cache that cannot be written costs time, never a check."""
        observed = decoding.convert(outlet.kept(msgspec.to_builtins(observed)), Observed)
        self._keep(key, name, observed)
        if self.shared is not None:
            with contextlib.suppress(DependencyError):
                self.shared.put(_object(key), canonical_json(_CacheEntry(key, observed)))

    def _keep(self, key: str, name: str, observed: Observed) -> None:
        with contextlib.suppress(OSError):
            self.local.put(_KIND, name, canonical_json(_CacheEntry(key, observed)))

    def _ours(self, name: str) -> bool:
        return _private(self.local.folder / _KIND) and _private(self.local.folder / _KIND / name)


def prune(folder: Path) -> None:
    """Removes from the cache folder results and providers of a month ago, and scratch folders of killed runs."""
    now = time.time()
    for pattern, kept in ((f"{_KIND}/*", _KEPT_SECONDS), ("lint/*", _KEPT_SECONDS), ("check-*", _SCRATCH_SECONDS)):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < now - kept:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _object(key: str) -> str:
    return f"evidence/{_KIND}/{key}.json"


def _private(path: Path) -> bool:
    """Nobody else can have written it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _decode(key: str, content: bytes | None) -> Observed | None:
    if content is None:
        return None
    try:
        entry = decoding.decode(content, _CacheEntry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return entry.observed if entry.key == key else None
