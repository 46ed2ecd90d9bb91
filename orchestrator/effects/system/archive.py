"""Reads tar archives that somebody else may have written: how much and how many is ours to say, not theirs."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.errors import Refused

MOST_MEMBERS = 100_000
LARGEST_MEMBER = 1 << 30
"""Bytes: what one file may have."""
LARGEST = 4 << 30
"""Bytes: what all files together may have."""
_LARGEST_HEADER = 1 << 20
_LONGEST_NAME = 4096
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Entry(tarfile.TarInfo):
    """tarfile reads extended headers whole, and the maps of sparse files, before it can be asked what they are."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in _HEADERS and self.size > _LARGEST_HEADER:
            raise Refused(f"the archive holds a header of {self.size} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]

    def _proc_sparse(self, *_: Any) -> Any:
        raise Refused("the archive holds a sparse file, which is larger than it looks")

    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _proc_sparse


@contextlib.contextmanager
def opened(source: Path | io.BufferedReader) -> Iterator[tarfile.TarFile]:
    """Not compressed. Raises tarfile.TarError and OSError where it is not an archive."""
    path, file = (source, None) if isinstance(source, Path) else (None, source)
    with tarfile.open(path, mode="r:", fileobj=file, tarinfo=_Entry) as tar:
        yield tar


def members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """One by one, as they lie there; Refused past the limits. Raises tarfile.ReadError for what cannot be read."""
    size = 0
    for number, entry in enumerate(iter(lambda: _next(tar), None), 1):
        tar.members.clear()  # type: ignore[attr-defined] # tarfile keeps every one that it has read
        size += entry.size
        if number > MOST_MEMBERS:
            raise Refused(f"the archive holds more than {MOST_MEMBERS} files")
        if len(entry.name) > _LONGEST_NAME:
            raise Refused(f"the archive holds a name of {len(entry.name)} characters")
        if entry.size > LARGEST_MEMBER or size > LARGEST:
            raise Refused(f"the archive holds {entry.name!r}, with which it has more bytes than are read")
        yield entry


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    """tarfile lets out whatever its parsing stumbles over."""
    try:
        return tar.next()
    except (ValueError, IndexError, KeyError, OverflowError, RecursionError) as error:
        raise tarfile.ReadError(f"a header that cannot be read ({type(error).__name__})") from None


def content_of(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    """Refused for links, devices and whatever else is not a regular file."""
    content = tar.extractfile(entry) if entry.isreg() else None
    if content is None:
        raise Refused(f"the archive holds {entry.name!r}, which is not a regular file")
    with content:
        read = content.read()
    if len(read) != entry.size:
        raise Refused(f"the archive ends within {entry.name!r}")
    return read
