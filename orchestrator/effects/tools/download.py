"""Fetches a release: nothing is unpacked before its checksum is right, and nothing but the program is unpacked."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import DependencyError


class Unreachable(Exception):
    """The release cannot be had from here; another way may work."""


@dataclass(frozen=True)
class DownloadLimits:
    """`connect`: seconds of silence; `total`: seconds for the whole download; `size`: bytes, packed or unpacked."""

    connect: float = 10.0
    total: float = 600.0
    size: int = 600_000_000


LIMITS = DownloadLimits()


def fetch(url: str, sha256: str, target: Path, limits: DownloadLimits = LIMITS) -> None:
    """Downloads `url` to `target` (the usual proxy variables are honoured).

    Raises Unreachable where that fails, and DependencyError where what comes is not what was published.
    """
    try:
        actual = _download(url, target, limits)
    except urllib.error.HTTPError as error:
        raise Unreachable(f"{url} answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{url}: {_reason(error)}") from None
    if actual != sha256:
        target.unlink()
        raise DependencyError(
            f"{url} has the wrong checksum: SHA-256 {actual} instead of {sha256}; it was thrown away",
            hint="Someone on the way may have changed it, or a proxy answers in its place. Do not use it; look at what "
            "the address returns, and report it if it persists.",
        )


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return str(getattr(cause, "strerror", None) or cause)


def _download(url: str, target: Path, limits: DownloadLimits) -> str:
    deadline = time.monotonic() + limits.total
    digest = hashlib.sha256()
    size = 0
    request = urllib.request.Request(url, headers={"User-Agent": "orchestrate"})  # noqa: S310 - pins hold https only
    opener = urllib.request.build_opener()  # the shared one would keep the proxies of its first use
    with opener.open(request, timeout=limits.connect) as answer, target.open("xb") as file:
        while block := answer.read1(1 << 20):
            size += len(block)
            if size > limits.size or time.monotonic() > deadline:
                raise OSError(f"more than {limits.size} bytes or {limits.total:g} s")
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def unpack_program(archive: Path, name: str, target: Path, limits: DownloadLimits = LIMITS) -> None:
    """Writes the file `name` at the top of a zip to `target`, executable. Raises DependencyError where it is not."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            member = zipped.getinfo(name)
            if member.file_size > limits.size:
                raise DependencyError(f"{archive.name}: {name} is larger than {limits.size} bytes")
            with zipped.open(member) as source, target.open("xb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise DependencyError(f"{archive.name} cannot be unpacked: {error}") from None
    target.chmod(0o755)
